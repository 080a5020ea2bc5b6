*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Reset Emulation
Test Teardown     Test Teardown
Resource          ${CURDIR}/simtwin.resource

*** Variables ***
${KEY}            231d39c1d7cc1ab1aee224cd096db932

*** Keywords ***
Answer
    [Documentation]    The controller has done the command with this opcode, low byte first: Command Complete, status 0.
    [Arguments]    ${opcode}
    Receive On Uart    1    040e0401${opcode}00
    Pass Time    0.02

Set Up Bluetooth
    [Documentation]    Answers the commands after Reset, each of which must be as the Core Specification has it.
    [Arguments]    ${key}=${EMPTY}    ${counter}=0
    Answer    030c
    Uart Should Have Sent    1    01052006010000a1dffc
    Answer    0520
    Uart Should Have Sent    1    0106200f400140010301000000000000000700
    Answer    0620
    Advertisement Should Be That Of The Last Frame    ${key}    ${counter}
    Answer    0820
    Uart Should Have Sent    1    010a200101
    Answer    0a20
    Uart Should Have Sent    1    ${EMPTY}

Advertised
    [Documentation]    What was just told on the console is on the air too, and nothing else.
    [Arguments]    ${key}=${EMPTY}    ${counter}=0
    Pass Time    0.25
    Advertisement Should Be That Of The Last Frame    ${key}    ${counter}
    Answer    0820

*** Test Cases ***
Begins With Reset And Waits For Every Answer
    Create Machine    bearing_rig
    Wait For Line On Uart    ready imus 1
    Uart Should Have Sent    1    01030c00
    Set Up Bluetooth

Without A Controller It Begins Again At The Next Heartbeat
    Start Monitoring    bearing_rig
    Feed Sensors    bearing_rig_healthy
    # Once for each of the two starts.
    Uart Should Have Sent    1    01030c0001030c00
    Wait For Line On Uart    heartbeat    timeout=12
    Pass Time    0.1
    Uart Should Have Sent    1    01030c00
    Transcript Should Not Contain    alert

A Command That Is Refused Ends The Attempt
    Create Machine    bearing_rig
    Configure    heartbeat_s    1
    Uart Should Have Sent    1    01030c00
    Receive On Uart    1    040e0401030c0c
    Pass Time    0.1
    Uart Should Have Sent    1    ${EMPTY}

Alerts Of A Machine Are On The Air
    Start Monitoring    bearing_rig
    Configure    heartbeat_s    4
    Configure    threshold    190
    Restart
    Feed Sensors    bearing_rig_looseness
    Uart Should Have Sent    1    01030c0001030c0001030c00
    Set Up Bluetooth
    Wait For Line On Uart    heartbeat    timeout=5
    Advertised
    Wait For Line On Uart    alert machine raised    timeout=8
    Advertised

Alerts Of A Sensor Are On The Air
    Start Monitoring    bearing_rig
    Feed Sensors    bearing_rig_healthy
    Uart Should Have Sent    1    01030c0001030c00
    Set Up Bluetooth
    Wait For Line On Uart    window 8
    Cut Wire    0
    Wait For Line On Uart    alert sensor 0 raised bus    timeout=3
    Advertised

Encrypted Packets Have Counters That Go On After A Restart
    Create Machine    bearing_rig
    Wait For Line On Uart    ready imus 1
    Write Line To Uart    bindkey ${KEY}    waitForEcho=false
    Wait For Line On Uart    ok bindkey set
    Uart Should Have Sent    1    01030c00
    Restart
    Uart Should Have Sent    1    01030c00
    Set Up Bluetooth    ${KEY}    1
    Restart
    Uart Should Have Sent    1    01030c00
    Set Up Bluetooth    ${KEY}    1022
    Transcript Should Not Contain    ${KEY}
