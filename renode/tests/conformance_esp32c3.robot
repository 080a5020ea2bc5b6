*** Comments ***
Made of renode/conformance.py by `python -m renode.conformance`; do not edit.

*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Reset Emulation
Test Teardown     Test Teardown
Resource          ${CURDIR}/simtwin.resource

*** Variables ***
${CHIP}           esp32c3

*** Test Cases ***
GPIO Set And Clear
    [Documentation]    ESP32-C3 TRM, chapter 5
    Create Machine    idle
    Write Register    0x60004024    0x0000000e
    Write Register    0x60004004    0x00000002
    Write Register    0x60004008    0x00000004
    Register Should Be    0x60004004    0x00000006    0xffffffff
    Register Should Be    0x6000403c    0x00000006    0x0000000e
    Write Register    0x6000400c    0x00000002
    Register Should Be    0x60004004    0x00000004    0xffffffff
    Register Should Be    0x6000403c    0x00000004    0x0000000e
    Write Register    0x60004028    0x00000004
    Register Should Be    0x60004020    0x0000000a    0xffffffff

GPIO And IO MUX Keep Their Settings
    [Documentation]    ESP32-C3 TRM, chapter 5: reset values and fields
    Create Machine    idle
    Register Should Be    0x60004560    0x00000080    0xffffffff
    Write Register    0x60004560    0x00000045
    Register Should Be    0x60004560    0x00000045    0xffffffff
    Register Should Be    0x60004564    0x00000080    0xffffffff
    Register Should Be    0x6000901c    0x00000b00    0xffffffff
    Write Register    0x6000901c    0x00002800
    Register Should Be    0x6000901c    0x00002800    0xffffffff

Interrupt Matrix Routes A Level
    [Documentation]    ESP32-C3 TRM, chapter 8
    Create Machine    idle
    Write Register    0x600c20c8    0x00000007
    Write Register    0x600c2130    0x00000005
    Write Register    0x600c2194    0x00000001
    Interrupt Line Should Be    0
    Write Register    0x600c0028    0x00000001
    Register Should Be    0x600c20fc    0x00040000    0xffffffff
    Register Should Be    0x600c2110    0x00000080    0xffffffff
    Interrupt Line Should Be    0
    Write Register    0x600c2104    0x00000080
    Interrupt Line Should Be    7
    Write Register    0x600c20c8    0x0000000c
    Interrupt Line Should Be    0
    Write Register    0x600c20c8    0x0000000c
    Write Register    0x600c2144    0x00000005
    Write Register    0x600c2194    0x00000001
    Write Register    0x600c2104    0x00001080
    Interrupt Line Should Be    12
    Write Register    0x600c0028    0x00000000
    Interrupt Line Should Be    0
    Register Should Be    0x600c20fc    0x00000000    0xffffffff

Interrupt Matrix Priority And Threshold
    [Documentation]    ESP32-C3 TRM, chapter 8: priority 0 is never taken, nor one below the threshold
    Create Machine    idle
    Write Register    0x600c20c8    0x00000007
    Write Register    0x600c2130    0x00000003
    Write Register    0x600c2194    0x00000001
    Write Register    0x600c20cc    0x0000000d
    Write Register    0x600c2148    0x00000009
    Write Register    0x600c2194    0x00000001
    Write Register    0x600c2104    0x00002080
    Write Register    0x600c0028    0x00000001
    Interrupt Line Should Be    7
    Write Register    0x600c002c    0x00000001
    Interrupt Line Should Be    13
    Write Register    0x600c2148    0x00000002
    Interrupt Line Should Be    7
    Write Register    0x600c2130    0x00000002
    Interrupt Line Should Be    7
    Write Register    0x600c2194    0x00000003
    Interrupt Line Should Be    0
    Write Register    0x600c2148    0x0000000f
    Interrupt Line Should Be    13
    Write Register    0x600c2194    0x00000000
    Write Register    0x600c2148    0x00000000
    Write Register    0x600c2130    0x00000000
    Interrupt Line Should Be    0

Interrupt Matrix Latches An Edge
    [Documentation]    ESP32-C3 TRM, chapter 8: CPU_INT_TYPE and CPU_INT_CLEAR
    Create Machine    idle
    Write Register    0x600c20c8    0x0000000e
    Write Register    0x600c214c    0x00000005
    Write Register    0x600c2194    0x00000001
    Write Register    0x600c2108    0x00004000
    Write Register    0x600c2104    0x00004000
    Write Register    0x600c0028    0x00000001
    Write Register    0x600c0028    0x00000000
    Interrupt Line Should Be    14
    Write Register    0x600c210c    0x00004000
    Interrupt Line Should Be    0

System Timer Counts
    [Documentation]    ESP32-C3 TRM, chapter 10: 16 MHz, stopped, started and loaded by software
    Create Machine    idle
    Write Register    0x6002300c    0x00000000
    Write Register    0x60023010    0x00001000
    Write Register    0x6002305c    0x00000001
    Pass Time    0.010000
    Write Register    0x60023004    0x40000000
    Register Should Be    0x60023004    0x20000000    0x20000000
    Register Should Be    0x60023044    0x00028100    0xffffffff
    Register Should Be    0x60023040    0x00000000    0xffffffff
    Write Register    0x60023000    0x06000000
    Pass Time    0.010000
    Write Register    0x60023004    0x40000000
    Register Should Be    0x60023044    0x00028100    0xffffffff
    Write Register    0x60023014    0x000fffff
    Write Register    0x60023018    0xfffffff0
    Write Register    0x60023060    0x00000001
    Write Register    0x60023008    0x40000000
    Register Should Be    0x60023048    0x000fffff    0xffffffff
    Register Should Be    0x6002304c    0xfffffff0    0xffffffff

System Timer Periodic Alarm
    [Documentation]    ESP32-C3 TRM, chapter 10; source 37
    Create Machine    idle
    Write Register    0x600c2094    0x00000007
    Write Register    0x600c2130    0x00000005
    Write Register    0x600c2194    0x00000001
    Write Register    0x600c2104    0x00000080
    Write Register    0x60023034    0x40003e80
    Write Register    0x60023050    0x00000001
    Write Register    0x60023000    0x47000000
    Write Register    0x60023064    0x00000001
    Interrupt Line Should Be    0
    Pass Time    0.000900
    Interrupt Line Should Be    0
    Pass Time    0.000200
    Interrupt Line Should Be    7
    Register Should Be    0x60023068    0x00000001    0xffffffff
    Register Should Be    0x60023070    0x00000001    0xffffffff
    Write Register    0x6002306c    0x00000001
    Interrupt Line Should Be    0
    Pass Time    0.000800
    Interrupt Line Should Be    0
    Pass Time    0.000200
    Interrupt Line Should Be    7
    Write Register    0x60023000    0x46000000
    Write Register    0x6002306c    0x00000001
    Pass Time    0.003000
    Interrupt Line Should Be    0

System Timer One Alarm
    [Documentation]    ESP32-C3 TRM, chapter 10; source 38: once, at a value of the counter
    Create Machine    idle
    Write Register    0x600c2098    0x00000010
    Write Register    0x600c2154    0x00000005
    Write Register    0x600c2194    0x00000001
    Write Register    0x600c2104    0x00010000
    Write Register    0x60023010    0x00000000
    Write Register    0x6002300c    0x00000000
    Write Register    0x6002305c    0x00000001
    Write Register    0x60023024    0x00000000
    Write Register    0x60023028    0x00007d00
    Write Register    0x60023054    0x00000001
    Write Register    0x60023000    0x46800000
    Write Register    0x60023064    0x00000002
    Pass Time    0.001900
    Interrupt Line Should Be    0
    Pass Time    0.000200
    Interrupt Line Should Be    16
    Write Register    0x6002306c    0x00000002
    Pass Time    0.005000
    Interrupt Line Should Be    0
    Register Should Be    0x60023068    0x00000000    0xffffffff

UART Sends
    [Documentation]    ESP32-C3 TRM, chapter 26: the FIFO drains at the baud rate, 87 us a byte at 115200
    Create Machine    idle
    Write Register    0x60000014    0x0040015b
    Write Register    0x60000000    0x00000048
    Write Register    0x60000000    0x00000069
    Write Register    0x60000000    0x0000000a
    Register Should Be    0x6000001c    0x00030000    0x03ff0000
    Pass Time    0.000100
    Register Should Be    0x6000001c    0x00020000    0x03ff0000
    Pass Time    0.001000
    Register Should Be    0x6000001c    0x00000000    0x03ff0000
    Uart Should Have Sent    0    48690a
    Register Should Be    0x60000004    0x00004000    0x00004000

UART Says When It Has Sent
    [Documentation]    ESP32-C3 TRM, chapter 26: TXFIFO_EMPTY below the threshold, TX_DONE; source 21
    Create Machine    idle
    Write Register    0x600c2054    0x0000000c
    Write Register    0x600c2144    0x00000005
    Write Register    0x600c2194    0x00000001
    Write Register    0x600c2104    0x00001000
    Write Register    0x60000014    0x0040015b
    Write Register    0x60000024    0x00000460
    Write Register    0x60000000    0x00000030
    Write Register    0x60000000    0x00000031
    Write Register    0x60000000    0x00000032
    Write Register    0x60000000    0x00000033
    Write Register    0x60000010    0x00004002
    Write Register    0x6000000c    0x00000002
    Interrupt Line Should Be    0
    Pass Time    0.000200
    Interrupt Line Should Be    0
    Pass Time    0.000090
    Interrupt Line Should Be    12
    Register Should Be    0x60000008    0x00000002    0xffffffff
    Write Register    0x6000000c    0x00004000
    Interrupt Line Should Be    0
    Pass Time    0.000100
    Interrupt Line Should Be    12
    Register Should Be    0x60000008    0x00004000    0xffffffff
    Write Register    0x60000010    0x00004000
    Interrupt Line Should Be    0
    Uart Should Have Sent    0    30313233

UART Receives And Interrupts
    [Documentation]    ESP32-C3 TRM, chapter 26: RXFIFO_FULL above the threshold, RXFIFO_TOUT for fewer; source 22
    Create Machine    idle
    Write Register    0x600c2058    0x0000000d
    Write Register    0x600c2148    0x00000005
    Write Register    0x600c2194    0x00000001
    Write Register    0x600c2104    0x00002000
    Write Register    0x60010014    0x0040015b
    Write Register    0x60010078    0x03700000
    Write Register    0x60010024    0x00200002
    Write Register    0x60010010    0x00000101
    Write Register    0x6001000c    0x00000101
    Interrupt Line Should Be    0
    Receive On Uart    1    04ff
    Pass Time    0.000500
    Interrupt Line Should Be    13
    Register Should Be    0x60010008    0x00000100    0xffffffff
    Register Should Be    0x6001001c    0x00000002    0x000003ff
    Register Should Be    0x60010000    0x00000004    0xffffffff
    Register Should Be    0x60010000    0x000000ff    0xffffffff
    Register Should Be    0x6001001c    0x00000000    0x000003ff
    Write Register    0x60010010    0x00000101
    Interrupt Line Should Be    0
    Receive On Uart    1    616263
    Pass Time    0.000500
    Register Should Be    0x60010004    0x00000001    0x00000001
    Register Should Be    0x60010000    0x00000061    0xffffffff
    Register Should Be    0x60010000    0x00000062    0xffffffff
    Register Should Be    0x60010000    0x00000063    0xffffffff
    Write Register    0x60010010    0x00000101
    Interrupt Line Should Be    0
    Register Should Be    0x60010004    0x00000000    0x00000101

SPI2 Reads A Sensor
    [Documentation]    ESP32-C3 TRM, chapter 27; LSM6DSO datasheet, WHO_AM_I; MISC's chip selects are disables
    Create Machine    idle
    Write Register    0x600240e8    0x00000003
    Write Register    0x60024010    0x08000001
    Write Register    0x60024098    0x0000008f
    Write Register    0x60024020    0x0000003e
    Write Register    0x6002401c    0x0000000f
    Write Register    0x60024000    0x00800000
    Write Register    0x60024000    0x01000000
    Pass Time    0.000100
    Register Should Be    0x60024000    0x00000000    0x01000000
    Register Should Be    0x60024098    0x00006c00    0x0000ff00
    Write Register    0x60024098    0x0000008f
    Write Register    0x60024020    0x0000003b
    Write Register    0x6002401c    0x0000000f
    Write Register    0x60024000    0x00800000
    Write Register    0x60024000    0x01000000
    Pass Time    0.000100
    Register Should Be    0x60024000    0x00000000    0x01000000
    Register Should Be    0x60024098    0x00006c00    0x0000ff00
    Write Register    0x60024098    0x0000008f
    Write Register    0x60024020    0x00000037
    Write Register    0x6002401c    0x0000000f
    Write Register    0x60024000    0x00800000
    Write Register    0x60024000    0x01000000
    Pass Time    0.000100
    Register Should Be    0x60024000    0x00000000    0x01000000
    Register Should Be    0x60024098    0x0000ff00    0x0000ff00
    Register Should Be    0x6002403c    0x00001000    0x00001000
    Write Register    0x60024038    0x00001000
    Register Should Be    0x6002403c    0x00000000    0x00001000

SPI2 Writes And Reads By Phases
    [Documentation]    ESP32-C3 TRM, chapter 27: command from the low byte, address from the top, then MISO
    Create Machine    idle
    Write Register    0x600240e8    0x00000003
    Write Register    0x60024010    0x08000001
    Write Register    0x60024098    0x00008410
    Write Register    0x60024020    0x0000003d
    Write Register    0x6002401c    0x0000000f
    Write Register    0x60024000    0x00800000
    Write Register    0x60024000    0x01000000
    Pass Time    0.000100
    Register Should Be    0x60024000    0x00000000    0x01000000
    Write Register    0x60024010    0x90000000
    Write Register    0x60024018    0x70000090
    Write Register    0x60024098    0x00000000
    Write Register    0x60024020    0x0000003d
    Write Register    0x6002401c    0x00000007
    Write Register    0x60024000    0x00800000
    Write Register    0x60024000    0x01000000
    Pass Time    0.000100
    Register Should Be    0x60024000    0x00000000    0x01000000
    Register Should Be    0x60024098    0x00000084    0x000000ff
    Write Register    0x60024010    0x50000000
    Write Register    0x60024014    0x38000000
    Write Register    0x60024004    0x8f000000
    Write Register    0x60024098    0x00000000
    Write Register    0x60024020    0x0000003d
    Write Register    0x6002401c    0x00000007
    Write Register    0x60024000    0x00800000
    Write Register    0x60024000    0x01000000
    Pass Time    0.000100
    Register Should Be    0x60024000    0x00000000    0x01000000
    Register Should Be    0x60024098    0x0000006c    0x000000ff

SPI2 Interrupts
    [Documentation]    ESP32-C3 TRM, chapter 27: TRANS_DONE; source 19
    Create Machine    idle
    Write Register    0x600c204c    0x0000000f
    Write Register    0x600c2150    0x00000005
    Write Register    0x600c2194    0x00000001
    Write Register    0x600c2104    0x00008000
    Write Register    0x600240e8    0x00000003
    Write Register    0x60024010    0x08000001
    Write Register    0x60024034    0x00001000
    Interrupt Line Should Be    0
    Write Register    0x60024098    0x0000008f
    Write Register    0x60024020    0x0000003e
    Write Register    0x6002401c    0x0000000f
    Write Register    0x60024000    0x00800000
    Write Register    0x60024000    0x01000000
    Pass Time    0.000100
    Register Should Be    0x60024000    0x00000000    0x01000000
    Interrupt Line Should Be    15
    Register Should Be    0x60024040    0x00001000    0xffffffff
    Write Register    0x60024038    0x00001000
    Interrupt Line Should Be    0

A Cut Wire Reads All Ones
    [Documentation]    MISO is pulled up
    Create Machine    idle
    Write Register    0x600240e8    0x00000003
    Write Register    0x60024010    0x08000001
    Cut Wire    0
    Write Register    0x60024098    0x0000008f
    Write Register    0x60024020    0x0000003e
    Write Register    0x6002401c    0x0000000f
    Write Register    0x60024000    0x00800000
    Write Register    0x60024000    0x01000000
    Pass Time    0.000100
    Register Should Be    0x60024000    0x00000000    0x01000000
    Register Should Be    0x60024098    0x0000ffff    0x0000ffff
    Write Register    0x60024098    0x0000008f
    Write Register    0x60024020    0x0000003d
    Write Register    0x6002401c    0x0000000f
    Write Register    0x60024000    0x00800000
    Write Register    0x60024000    0x01000000
    Pass Time    0.000100
    Register Should Be    0x60024000    0x00000000    0x01000000
    Register Should Be    0x60024098    0x00006c00    0x0000ff00
    Mend Wire    0
    Write Register    0x60024098    0x0000008f
    Write Register    0x60024020    0x0000003e
    Write Register    0x6002401c    0x0000000f
    Write Register    0x60024000    0x00800000
    Write Register    0x60024000    0x01000000
    Pass Time    0.000100
    Register Should Be    0x60024000    0x00000000    0x01000000
    Register Should Be    0x60024098    0x00006c00    0x0000ff00

Flash Erases And Programs
    [Documentation]    ESP32-C3 TRM, chapter 27; W25Q32JV datasheet: commands 9F, 06, 20, 02, 03, 05
    Create Machine    idle
    Write Register    0x60002008    0x00000000
    Write Register    0x60002018    0x90000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x7000009f
    Write Register    0x60002004    0x00000000
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x00000017
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Register Should Be    0x60002058    0x001640ef    0x00ffffff
    Write Register    0x60002018    0x90000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000005
    Write Register    0x60002004    0x00000000
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x00000007
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Register Should Be    0x60002058    0x00000000    0x00000003
    Write Register    0x60002018    0x80000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000006
    Write Register    0x60002004    0x00000000
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x00000000
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Write Register    0x60002018    0x90000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000005
    Write Register    0x60002004    0x00000000
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x00000007
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Register Should Be    0x60002058    0x00000002    0x00000003
    Write Register    0x60002018    0xc0000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000020
    Write Register    0x60002004    0x003fe000
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x00000000
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Write Register    0x60002018    0x90000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000005
    Write Register    0x60002004    0x00000000
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x00000007
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Register Should Be    0x60002058    0x00000001    0x00000001
    Pass Time    0.500000
    Write Register    0x60002018    0x90000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000005
    Write Register    0x60002004    0x00000000
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x00000007
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Register Should Be    0x60002058    0x00000000    0x00000003
    Write Register    0x60002018    0xd0000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000003
    Write Register    0x60002004    0x003fe0fc
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x0000001f
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Register Should Be    0x60002058    0xffffffff    0xffffffff
    Write Register    0x60002018    0x80000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000006
    Write Register    0x60002004    0x00000000
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x00000000
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Write Register    0x60002058    0x12345678
    Write Register    0x60002018    0xc8000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000002
    Write Register    0x60002004    0x003fe0fe
    Write Register    0x60002024    0x0000001f
    Write Register    0x60002028    0x00000000
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Pass Time    0.010000
    Write Register    0x60002018    0xd0000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000003
    Write Register    0x60002004    0x003fe0fc
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x0000001f
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Register Should Be    0x60002058    0x5678ffff    0xffffffff
    Write Register    0x60002018    0xd0000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000003
    Write Register    0x60002004    0x003fe000
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x0000001f
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Register Should Be    0x60002058    0xffff1234    0xffffffff
    Write Register    0x60002018    0x80000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000006
    Write Register    0x60002004    0x00000000
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x00000000
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Write Register    0x60002058    0x0000ff00
    Write Register    0x60002018    0xc8000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000002
    Write Register    0x60002004    0x003fe0fe
    Write Register    0x60002024    0x0000000f
    Write Register    0x60002028    0x00000000
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Pass Time    0.010000
    Write Register    0x60002018    0xd0000000
    Write Register    0x6000201c    0x5c000000
    Write Register    0x60002020    0x70000003
    Write Register    0x60002004    0x003fe0fc
    Write Register    0x60002024    0x00000000
    Write Register    0x60002028    0x0000001f
    Write Register    0x60002000    0x00040000
    Pass Time    0.000100
    Register Should Be    0x60002000    0x00000000    0x00040000
    Register Should Be    0x60002058    0x5600ffff    0xffffffff

RTC Watchdog Interrupts And Is Fed
    [Documentation]    ESP32-C3 TRM, chapter 12: 136 kHz; the first stage counts twice; source 27
    Create Machine    idle
    Write Register    0x600c206c    0x00000011
    Write Register    0x600c2158    0x00000005
    Write Register    0x600c2194    0x00000001
    Write Register    0x600c2104    0x00020000
    Write Register    0x60008040    0x00000008
    Write Register    0x600080a8    0x50d83aa1
    Write Register    0x60008094    0x00001a90
    Write Register    0x60008090    0x90000000
    Write Register    0x600080a4    0x80000000
    Pass Time    0.080000
    Interrupt Line Should Be    0
    Write Register    0x600080a4    0x80000000
    Pass Time    0.080000
    Interrupt Line Should Be    0
    Pass Time    0.020500
    Interrupt Line Should Be    17
    Register Should Be    0x60008048    0x00000008    0xffffffff
    Write Register    0x6000804c    0x00000008
    Interrupt Line Should Be    0
    Write Register    0x60008090    0x00000000
    Write Register    0x600080a8    0x00000000
    Pass Time    0.500000
    Interrupt Line Should Be    0

RTC Watchdog Resets The System
    [Documentation]    ESP32-C3 TRM, chapters 6 and 12: cause 0x10; STORE registers are lost
    Create Machine    idle
    Register Should Be    0x60008038    0x00000001    0x0000003f
    Write Register    0x60008050    0x5a5a5a5a
    Write Register    0x60004024    0x00000004
    Write Register    0x600080a8    0x50d83aa1
    Write Register    0x60008094    0x00001a90
    Write Register    0x60008090    0xc0000000
    Write Register    0x600080a4    0x80000000
    Pass Time    0.200000
    Register Should Be    0x60008038    0x00000010    0x0000003f
    Register Should Be    0x60008050    0x00000000    0xffffffff
    Register Should Be    0x60004020    0x00000000    0xffffffff

Software Reset Of The Core
    [Documentation]    ESP32-C3 TRM, chapters 6 and 9: OPTIONS0 bit 31, cause 0x03; STORE registers stay
    Create Machine    idle
    Write Register    0x60008054    0x12345678
    Write Register    0x60004024    0x00000004
    Write Register    0x60008000    0x80000000
    Pass Time    0.050000
    Register Should Be    0x60008038    0x00000003    0x0000003f
    Register Should Be    0x60008054    0x12345678    0xffffffff
    Register Should Be    0x60004020    0x00000000    0xffffffff
    Register Should Be    0x60008000    0x00000000    0x80000000

Timer Group Watchdog
    [Documentation]    ESP32-C3 TRM, chapter 12: 80 MHz through the prescaler; cause 0x08 of group 1; source 33
    Create Machine    idle
    Write Register    0x600c2084    0x00000012
    Write Register    0x600c215c    0x00000005
    Write Register    0x600c2194    0x00000001
    Write Register    0x600c2104    0x00040000
    Write Register    0x6001f070    0x00000002
    Write Register    0x6001f04c    0x1f400000
    Write Register    0x6001f050    0x00000064
    Write Register    0x6001f048    0xa0400000
    Pass Time    0.009900
    Interrupt Line Should Be    0
    Pass Time    0.000200
    Interrupt Line Should Be    18
    Register Should Be    0x6001f078    0x00000002    0xffffffff
    Write Register    0x6001f07c    0x00000002
    Interrupt Line Should Be    0
    Write Register    0x6001f048    0x00400000
    Write Register    0x6002004c    0x1f400000
    Write Register    0x60020050    0x00000064
    Write Register    0x60020048    0xe0400000
    Pass Time    0.050000
    Register Should Be    0x60008038    0x00000008    0x0000003f

System Registers And A Peripheral's Reset
    [Documentation]    ESP32-C3 TRM, chapter 16: reset values; PERIP_RST_EN0
    Create Machine    idle
    Register Should Be    0x600c0010    0xf9c1e06f    0xffffffff
    Write Register    0x600c0058    0x00000401
    Register Should Be    0x600c0058    0x00000401    0xffffffff
    Write Register    0x6002401c    0x0000000f
    Register Should Be    0x6002401c    0x0000000f    0xffffffff
    Write Register    0x600c0018    0x00000040
    Register Should Be    0x6002401c    0x00000000    0xffffffff
    Write Register    0x600c0018    0x00000000
    Register Should Be    0x600c0018    0x00000000    0xffffffff

EFuse Holds The MAC Address
    [Documentation]    ESP32-C3 TRM, chapter 4: RD_MAC_SPI_SYS_0 and 1
    Create Machine    idle
    Register Should Be    0x60008844    0xa1000001    0xffffffff
    Register Should Be    0x60008848    0x00007cdf    0x0000ffff
    Register Should Be    0x60008850    0x00000000    0xffffffff
