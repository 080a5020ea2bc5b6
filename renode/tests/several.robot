*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Reset Emulation
Test Teardown     Test Teardown
Resource          ${CURDIR}/simtwin.resource

*** Test Cases ***
Three Sensors Are Fused And One May Fail
    Start Monitoring    bearing_rig    3
    Feed Sensors    three_imus
    Register Failing Uart String    alert machine
    Pass Time    5
    Transcript Should Not Contain    alert
    Wait For Line On Uart    alert sensor 1 raised stuck    timeout=2
    Wait For Line On Uart    window \\d+ normal    timeout=2    treatAsRegex=true
    Keep Transcript    three_sensors

A Restart In The Middle
    [Documentation]    The firmware starts anew while the machine runs on; it is fed from the beginning again.
    Start Monitoring    bearing_rig
    Feed Sensors    bearing_rig_healthy
    Wait For Line On Uart    window 5
    Restart
    Feed Sensors    bearing_rig_healthy
    Wait For Line On Uart    window 5    timeout=4
    Transcript Should Contain    boot 3 reset software
    Transcript Should Not Contain    alert
    Keep Transcript    restart
