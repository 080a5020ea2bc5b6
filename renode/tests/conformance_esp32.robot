*** Comments ***
Made of renode/conformance.py by `python -m renode.conformance`; do not edit.

*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Reset Emulation
Test Teardown     Test Teardown
Resource          ${CURDIR}/simtwin.resource

*** Variables ***
${CHIP}           esp32

*** Test Cases ***
GPIO And IO MUX
    [Documentation]    ESP32 TRM, chapter 4
    Create Machine    idle
    Write Register    0x3ff44024    0x0000000e
    Write Register    0x3ff44028    0x00000004
    Register Should Be    0x3ff44020    0x0000000a    0xffffffff
    Write Register    0x3ff44008    0x00000006
    Write Register    0x3ff4400c    0x00000002
    Register Should Be    0x3ff44004    0x00000004    0xffffffff
    Register Should Be    0x3ff44544    0x00000100    0xffffffff
    Write Register    0x3ff44544    0x0000000b
    Register Should Be    0x3ff44544    0x0000000b    0xffffffff
    Write Register    0x3ff44154    0x00000093
    Register Should Be    0x3ff44154    0x00000093    0xffffffff
    Write Register    0x3ff49074    0x00002200
    Register Should Be    0x3ff49074    0x00002200    0xffffffff

Interrupt Matrix Routes A Level
    [Documentation]    ESP32 TRM, chapters 2 and 5: sources 24 and 25 are FROM_CPU 0 and 1
    Create Machine    idle
    Register Should Be    0x3ff00164    0x00000010    0xffffffff
    Write Register    0x3ff000dc    0x00000001
    Interrupt Line Should Be    0
    Write Register    0x3ff00164    0x00000002
    Interrupt Line Should Be    2
    Write Register    0x3ff00164    0x0000000d
    Interrupt Line Should Be    13
    Write Register    0x3ff00168    0x0000000c
    Write Register    0x3ff000e0    0x00000001
    Interrupt Line Should Be    12
    Write Register    0x3ff000e0    0x00000000
    Interrupt Line Should Be    13
    Write Register    0x3ff00164    0x00000010
    Interrupt Line Should Be    0
    Write Register    0x3ff00164    0x0000000d
    Write Register    0x3ff000dc    0x00000000
    Interrupt Line Should Be    0

Timer Counts
    [Documentation]    ESP32 TRM, chapter 18: 80 MHz through the divider; read after a capture; loaded by software
    Create Machine    idle
    Write Register    0x3ff5f024    0xc00a0000
    Pass Time    0.010000
    Register Should Be    0x3ff5f028    0x00000000    0xffffffff
    Write Register    0x3ff5f030    0x80000000
    Register Should Be    0x3ff5f028    0x00002710    0xffffffff
    Register Should Be    0x3ff5f02c    0x00000000    0xffffffff
    Write Register    0x3ff5f03c    0x000001f4
    Write Register    0x3ff5f044    0x00000001
    Write Register    0x3ff5f030    0x80000000
    Register Should Be    0x3ff5f028    0x000001f4    0xffffffff
    Register Should Be    0x3ff5f02c    0x00000000    0xffffffff
    Pass Time    0.001000
    Write Register    0x3ff5f030    0x80000000
    Register Should Be    0x3ff5f028    0x000005dc    0xffffffff
    Register Should Be    0x3ff5f02c    0x00000000    0xffffffff
    Write Register    0x3ff5f024    0x400a0000
    Pass Time    0.010000
    Write Register    0x3ff5f030    0x80000000
    Register Should Be    0x3ff5f028    0x000005dc    0xffffffff
    Register Should Be    0x3ff5f02c    0x00000000    0xffffffff
    Write Register    0x3ff5f024    0xc0010000
    Pass Time    0.001000
    Write Register    0x3ff5f030    0x80000000
    Register Should Be    0x3ff5f028    0x00002cec    0xffffffff
    Register Should Be    0x3ff5f02c    0x00000000    0xffffffff
    Write Register    0x3ff5f00c    0x80000000
    Register Should Be    0x3ff5f004    0x00000000    0xffffffff
    Register Should Be    0x3ff5f008    0x00000000    0xffffffff

Timer Alarm That Reloads
    [Documentation]    ESP32 TRM, chapter 18: every alarm clears ALARM_EN; source 14
    Create Machine    idle
    Write Register    0x3ff0013c    0x00000002
    Write Register    0x3ff5f000    0x600a0000
    Write Register    0x3ff5f010    0x000003e8
    Write Register    0x3ff5f020    0x00000001
    Write Register    0x3ff5f098    0x00000001
    Write Register    0x3ff5f000    0xe00a0c00
    Interrupt Line Should Be    0
    Pass Time    0.000900
    Interrupt Line Should Be    0
    Pass Time    0.000300
    Interrupt Line Should Be    2
    Register Should Be    0x3ff5f09c    0x00000001    0xffffffff
    Register Should Be    0x3ff5f0a0    0x00000001    0xffffffff
    Register Should Be    0x3ff5f000    0x00000000    0x00000400
    Write Register    0x3ff5f00c    0x80000000
    Register Should Be    0x3ff5f004    0x000000c8    0xffffffff
    Register Should Be    0x3ff5f008    0x00000000    0xffffffff
    Write Register    0x3ff5f0a4    0x00000001
    Interrupt Line Should Be    0
    Write Register    0x3ff5f000    0xe00a0c00
    Pass Time    0.000700
    Interrupt Line Should Be    0
    Pass Time    0.000200
    Interrupt Line Should Be    2
    Write Register    0x3ff5f00c    0x80000000
    Register Should Be    0x3ff5f004    0x00000064    0xffffffff
    Register Should Be    0x3ff5f008    0x00000000    0xffffffff
    Write Register    0x3ff5f0a4    0x00000001
    Pass Time    0.003000
    Interrupt Line Should Be    0

Timer Alarm Once
    [Documentation]    ESP32 TRM, chapter 18: without reload the counter goes on; source 15
    Create Machine    idle
    Write Register    0x3ff00140    0x00000011
    Write Register    0x3ff5f034    0x000007d0
    Write Register    0x3ff5f098    0x00000002
    Write Register    0x3ff5f024    0xc00a0c00
    Pass Time    0.001900
    Interrupt Line Should Be    0
    Pass Time    0.000200
    Interrupt Line Should Be    17
    Write Register    0x3ff5f030    0x80000000
    Register Should Be    0x3ff5f028    0x00000834    0xffffffff
    Register Should Be    0x3ff5f02c    0x00000000    0xffffffff
    Write Register    0x3ff5f0a4    0x00000002
    Interrupt Line Should Be    0
    Pass Time    0.005000
    Interrupt Line Should Be    0

UART Sends
    [Documentation]    ESP32 TRM, chapter 13: the FIFO drains at the baud rate, 87 us a byte at 115200; both buses
    Create Machine    idle
    Write Register    0x3ff40014    0x007002b6
    Write Register    0x60000000    0x00000048
    Write Register    0x60000000    0x00000069
    Write Register    0x3ff40000    0x0000000a
    Register Should Be    0x3ff4001c    0x00030000    0x00ff0000
    Pass Time    0.000100
    Register Should Be    0x3ff4001c    0x00020000    0x00ff0000
    Pass Time    0.001000
    Register Should Be    0x3ff4001c    0x00000000    0x00ff0000
    Uart Should Have Sent    0    48690a
    Register Should Be    0x3ff40004    0x00004000    0x00004000

UART Receives And Interrupts
    [Documentation]    ESP32 TRM, chapter 13: RXFIFO_FULL, RXFIFO_TOUT, the FIFO's ends; source 35
    Create Machine    idle
    Write Register    0x3ff00190    0x0000000d
    Write Register    0x3ff50014    0x007002b6
    Write Register    0x3ff50024    0x82000002
    Write Register    0x3ff50010    0x00000101
    Write Register    0x3ff5000c    0x00000101
    Interrupt Line Should Be    0
    Receive On Uart    1    04ff
    Pass Time    0.000500
    Interrupt Line Should Be    13
    Register Should Be    0x3ff50008    0x00000100    0xffffffff
    Register Should Be    0x3ff5001c    0x00000002    0x000000ff
    Register Should Be    0x3ff50060    0x00004000    0xffffffff
    Register Should Be    0x3ff50000    0x00000004    0xffffffff
    Register Should Be    0x3ff50060    0x00004004    0xffffffff
    Register Should Be    0x3ff50000    0x000000ff    0xffffffff
    Register Should Be    0x3ff50060    0x00004008    0xffffffff
    Register Should Be    0x3ff5001c    0x00000000    0x000000ff
    Write Register    0x3ff50010    0x00000101
    Interrupt Line Should Be    0
    Receive On Uart    1    616263
    Pass Time    0.000500
    Register Should Be    0x3ff50004    0x00000001    0x00000001
    Register Should Be    0x3ff50000    0x00000061    0xffffffff
    Register Should Be    0x3ff50000    0x00000062    0xffffffff
    Register Should Be    0x3ff50000    0x00000063    0xffffffff
    Write Register    0x3ff50010    0x00000101
    Interrupt Line Should Be    0
    Register Should Be    0x3ff50004    0x00000000    0x00000101

SPI2 Reads A Sensor
    [Documentation]    ESP32 TRM, chapter 7; LSM6DSO datasheet, WHO_AM_I; PIN's chip selects are disables
    Create Machine    idle
    Write Register    0x3ff6401c    0x18000001
    Write Register    0x3ff64080    0x0000008f
    Write Register    0x3ff64034    0x00000006
    Write Register    0x3ff64028    0x0000000f
    Write Register    0x3ff6402c    0x0000000f
    Write Register    0x3ff64000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff64000    0x00000000    0x00040000
    Register Should Be    0x3ff64080    0x00006c00    0x0000ff00
    Write Register    0x3ff64080    0x0000008f
    Write Register    0x3ff64034    0x00000003
    Write Register    0x3ff64028    0x0000000f
    Write Register    0x3ff6402c    0x0000000f
    Write Register    0x3ff64000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff64000    0x00000000    0x00040000
    Register Should Be    0x3ff64080    0x00006c00    0x0000ff00
    Write Register    0x3ff64080    0x0000008f
    Write Register    0x3ff64034    0x00000007
    Write Register    0x3ff64028    0x0000000f
    Write Register    0x3ff6402c    0x0000000f
    Write Register    0x3ff64000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff64000    0x00000000    0x00040000
    Register Should Be    0x3ff64080    0x0000ff00    0x0000ff00
    Write Register    0x3ff64080    0x00008410
    Write Register    0x3ff64034    0x00000005
    Write Register    0x3ff64028    0x0000000f
    Write Register    0x3ff6402c    0x0000000f
    Write Register    0x3ff64000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff64000    0x00000000    0x00040000
    Write Register    0x3ff64080    0x00000090
    Write Register    0x3ff64034    0x00000005
    Write Register    0x3ff64028    0x0000000f
    Write Register    0x3ff6402c    0x0000000f
    Write Register    0x3ff64000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff64000    0x00000000    0x00040000
    Register Should Be    0x3ff64080    0x00008400    0x0000ff00

SPI2 Interrupts
    [Documentation]    ESP32 TRM, chapter 7: TRANS_DONE and its enable in SLAVE; source 30
    Create Machine    idle
    Write Register    0x3ff0017c    0x00000009
    Write Register    0x3ff6401c    0x18000001
    Write Register    0x3ff64038    0x00000200
    Interrupt Line Should Be    0
    Write Register    0x3ff64080    0x0000008f
    Write Register    0x3ff64034    0x00000006
    Write Register    0x3ff64028    0x0000000f
    Write Register    0x3ff6402c    0x0000000f
    Write Register    0x3ff64000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff64000    0x00000000    0x00040000
    Interrupt Line Should Be    9
    Register Should Be    0x3ff64038    0x00000010    0x00000010
    Write Register    0x3ff64038    0x00000200
    Interrupt Line Should Be    0

A Cut Wire Reads All Ones
    [Documentation]    MISO is pulled up
    Create Machine    idle
    Write Register    0x3ff6401c    0x18000001
    Cut Wire    0
    Write Register    0x3ff64080    0x0000008f
    Write Register    0x3ff64034    0x00000006
    Write Register    0x3ff64028    0x0000000f
    Write Register    0x3ff6402c    0x0000000f
    Write Register    0x3ff64000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff64000    0x00000000    0x00040000
    Register Should Be    0x3ff64080    0x0000ffff    0x0000ffff
    Write Register    0x3ff64080    0x0000008f
    Write Register    0x3ff64034    0x00000005
    Write Register    0x3ff64028    0x0000000f
    Write Register    0x3ff6402c    0x0000000f
    Write Register    0x3ff64000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff64000    0x00000000    0x00040000
    Register Should Be    0x3ff64080    0x00006c00    0x0000ff00
    Mend Wire    0
    Write Register    0x3ff64080    0x0000008f
    Write Register    0x3ff64034    0x00000006
    Write Register    0x3ff64028    0x0000000f
    Write Register    0x3ff6402c    0x0000000f
    Write Register    0x3ff64000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff64000    0x00000000    0x00040000
    Register Should Be    0x3ff64080    0x00006c00    0x0000ff00

Flash Erases And Programs
    [Documentation]    ESP32 TRM, chapter 7: the address from the top; W25Q32JV datasheet
    Create Machine    idle
    Write Register    0x3ff4201c    0x90000000
    Write Register    0x3ff42020    0x5c000000
    Write Register    0x3ff42024    0x7000009f
    Write Register    0x3ff42004    0x00000000
    Write Register    0x3ff42028    0x00000000
    Write Register    0x3ff4202c    0x00000017
    Write Register    0x3ff42000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff42000    0x00000000    0x00040000
    Register Should Be    0x3ff42080    0x001640ef    0x00ffffff
    Write Register    0x3ff4201c    0x80000000
    Write Register    0x3ff42020    0x5c000000
    Write Register    0x3ff42024    0x70000006
    Write Register    0x3ff42004    0x00000000
    Write Register    0x3ff42028    0x00000000
    Write Register    0x3ff4202c    0x00000000
    Write Register    0x3ff42000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff42000    0x00000000    0x00040000
    Write Register    0x3ff4201c    0x90000000
    Write Register    0x3ff42020    0x5c000000
    Write Register    0x3ff42024    0x70000005
    Write Register    0x3ff42004    0x00000000
    Write Register    0x3ff42028    0x00000000
    Write Register    0x3ff4202c    0x00000007
    Write Register    0x3ff42000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff42000    0x00000000    0x00040000
    Register Should Be    0x3ff42080    0x00000002    0x00000003
    Write Register    0x3ff4201c    0xc0000000
    Write Register    0x3ff42020    0x5c000000
    Write Register    0x3ff42024    0x70000020
    Write Register    0x3ff42004    0x3fe00000
    Write Register    0x3ff42028    0x00000000
    Write Register    0x3ff4202c    0x00000000
    Write Register    0x3ff42000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff42000    0x00000000    0x00040000
    Write Register    0x3ff4201c    0x90000000
    Write Register    0x3ff42020    0x5c000000
    Write Register    0x3ff42024    0x70000005
    Write Register    0x3ff42004    0x00000000
    Write Register    0x3ff42028    0x00000000
    Write Register    0x3ff4202c    0x00000007
    Write Register    0x3ff42000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff42000    0x00000000    0x00040000
    Register Should Be    0x3ff42080    0x00000001    0x00000001
    Pass Time    0.500000
    Write Register    0x3ff4201c    0x90000000
    Write Register    0x3ff42020    0x5c000000
    Write Register    0x3ff42024    0x70000005
    Write Register    0x3ff42004    0x00000000
    Write Register    0x3ff42028    0x00000000
    Write Register    0x3ff4202c    0x00000007
    Write Register    0x3ff42000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff42000    0x00000000    0x00040000
    Register Should Be    0x3ff42080    0x00000000    0x00000003
    Write Register    0x3ff4201c    0x80000000
    Write Register    0x3ff42020    0x5c000000
    Write Register    0x3ff42024    0x70000006
    Write Register    0x3ff42004    0x00000000
    Write Register    0x3ff42028    0x00000000
    Write Register    0x3ff4202c    0x00000000
    Write Register    0x3ff42000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff42000    0x00000000    0x00040000
    Write Register    0x3ff42080    0x12345678
    Write Register    0x3ff4201c    0xc8000000
    Write Register    0x3ff42020    0x5c000000
    Write Register    0x3ff42024    0x70000002
    Write Register    0x3ff42004    0x3fe0fe00
    Write Register    0x3ff42028    0x0000001f
    Write Register    0x3ff4202c    0x00000000
    Write Register    0x3ff42000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff42000    0x00000000    0x00040000
    Pass Time    0.010000
    Write Register    0x3ff4201c    0xd0000000
    Write Register    0x3ff42020    0x5c000000
    Write Register    0x3ff42024    0x70000003
    Write Register    0x3ff42004    0x3fe0fc00
    Write Register    0x3ff42028    0x00000000
    Write Register    0x3ff4202c    0x0000001f
    Write Register    0x3ff42000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff42000    0x00000000    0x00040000
    Register Should Be    0x3ff42080    0x5678ffff    0xffffffff
    Write Register    0x3ff4201c    0xd0000000
    Write Register    0x3ff42020    0x5c000000
    Write Register    0x3ff42024    0x70000003
    Write Register    0x3ff42004    0x3fe00000
    Write Register    0x3ff42028    0x00000000
    Write Register    0x3ff4202c    0x0000001f
    Write Register    0x3ff42000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff42000    0x00000000    0x00040000
    Register Should Be    0x3ff42080    0xffff1234    0xffffffff
    Write Register    0x3ff4201c    0xd0000000
    Write Register    0x3ff42020    0x5c000000
    Write Register    0x3ff42024    0x70000003
    Write Register    0x3ff42004    0x3ff00000
    Write Register    0x3ff42028    0x00000000
    Write Register    0x3ff4202c    0x0000001f
    Write Register    0x3ff42000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x3ff42000    0x00000000    0x00040000
    Register Should Be    0x3ff42080    0xffffffff    0xffffffff

RTC Watchdog Interrupts And Is Fed
    [Documentation]    ESP32 TRM, chapters 11 and 31: 150 kHz; source 46
    Create Machine    idle
    Write Register    0x3ff001bc    0x00000012
    Write Register    0x3ff4803c    0x00000008
    Write Register    0x3ff480a4    0x50d83aa1
    Write Register    0x3ff48090    0x00003a98
    Write Register    0x3ff4808c    0x90000000
    Write Register    0x3ff480a0    0x80000000
    Pass Time    0.080000
    Interrupt Line Should Be    0
    Write Register    0x3ff480a0    0x80000000
    Pass Time    0.080000
    Interrupt Line Should Be    0
    Pass Time    0.020500
    Interrupt Line Should Be    18
    Register Should Be    0x3ff48044    0x00000008    0xffffffff
    Write Register    0x3ff48048    0x00000008
    Interrupt Line Should Be    0
    Write Register    0x3ff4808c    0x00000000
    Write Register    0x3ff480a4    0x00000000
    Pass Time    0.500000
    Interrupt Line Should Be    0

RTC Watchdog Resets The System
    [Documentation]    ESP32 TRM, chapters 9 and 11: cause 0x10; STORE registers are lost
    Create Machine    idle
    Register Should Be    0x3ff48034    0x00000001    0x0000003f
    Write Register    0x3ff4804c    0x5a5a5a5a
    Write Register    0x3ff44024    0x00000004
    Write Register    0x3ff48090    0x00003a98
    Write Register    0x3ff4808c    0xc0000000
    Write Register    0x3ff480a0    0x80000000
    Pass Time    0.200000
    Register Should Be    0x3ff48034    0x00000010    0x0000003f
    Register Should Be    0x3ff4804c    0x00000000    0xffffffff
    Register Should Be    0x3ff44020    0x00000000    0xffffffff

Software Reset
    [Documentation]    ESP32 TRM, chapter 9: OPTIONS0 bit 31, cause 0x03; STORE registers stay
    Create Machine    idle
    Write Register    0x3ff48050    0x12345678
    Write Register    0x3ff44024    0x00000004
    Write Register    0x3ff48000    0x80000000
    Pass Time    0.050000
    Register Should Be    0x3ff48034    0x00000003    0x0000003f
    Register Should Be    0x3ff48050    0x12345678    0xffffffff
    Register Should Be    0x3ff44020    0x00000000    0xffffffff
    Register Should Be    0x3ff48000    0x00000000    0x80000000

Timer Group Watchdog
    [Documentation]    ESP32 TRM, chapter 18: 80 MHz through the prescaler; cause 0x08 of group 1; source 16
    Create Machine    idle
    Write Register    0x3ff00144    0x00000013
    Write Register    0x3ff5f098    0x00000004
    Write Register    0x3ff5f04c    0x1f400000
    Write Register    0x3ff5f050    0x00000064
    Write Register    0x3ff5f048    0xa0000000
    Pass Time    0.009900
    Interrupt Line Should Be    0
    Pass Time    0.000200
    Interrupt Line Should Be    19
    Register Should Be    0x3ff5f0a0    0x00000004    0xffffffff
    Write Register    0x3ff5f0a4    0x00000004
    Interrupt Line Should Be    0
    Write Register    0x3ff5f048    0x00000000
    Write Register    0x3ff6004c    0x1f400000
    Write Register    0x3ff60050    0x00000064
    Write Register    0x3ff60048    0xe0000000
    Pass Time    0.050000
    Register Should Be    0x3ff48034    0x00000008    0x0000003f

EFuse Holds The MAC Address
    [Documentation]    ESP32 TRM, chapter 20: BLK0_RDATA1 and 2
    Create Machine    idle
    Register Should Be    0x3ff5a004    0xa1000001    0xffffffff
    Register Should Be    0x3ff5a008    0x00007cdf    0x0000ffff
    Register Should Be    0x3ff5a00c    0x00000000    0xffffffff

A Peripheral's Reset
    [Documentation]    ESP32 TRM, chapter 5: PERIP_RST_EN
    Create Machine    idle
    Register Should Be    0x3ff000c0    0xf9c1e06f    0xffffffff
    Write Register    0x3ff64028    0x0000000f
    Register Should Be    0x3ff64028    0x0000000f    0xffffffff
    Write Register    0x3ff000c4    0x00000040
    Register Should Be    0x3ff64028    0x00000000    0xffffffff
    Write Register    0x3ff000c4    0x00000000
    Register Should Be    0x3ff000c4    0x00000000    0xffffffff
