*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Reset Emulation
Test Teardown     Test Teardown
Resource          ${CURDIR}/simtwin.resource

*** Test Cases ***
A Cut Wire Is A Sensor's Fault And Mends
    Start Monitoring    bearing_rig
    Feed Sensors    bearing_rig_healthy
    Register Failing Uart String    alert machine
    Wait For Line On Uart    window 4
    Cut Wire    0
    Wait For Line On Uart    alert sensor 0 raised bus    timeout=2
    Mend Wire    0
    Wait For Line On Uart    alert sensor 0 cleared bus    timeout=6
    Keep Transcript    cut_wire

One Of Three Wires
    [Documentation]    The machine is judged by the two that are left.
    Start Monitoring    bearing_rig    3
    Feed Sensors    three_imus
    Register Failing Uart String    alert machine
    Wait For Line On Uart    window 4
    Cut Wire    2
    Wait For Line On Uart    alert sensor 2 raised bus    timeout=2
    Wait For Line On Uart    window \\d+ normal    timeout=2    treatAsRegex=true
    Mend Wire    2
    Wait For Line On Uart    alert sensor 2 cleared bus    timeout=6
    Keep Transcript    one_of_three_wires
