*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Reset Emulation
Test Teardown     Test Teardown
Resource          ${CURDIR}/simtwin.resource
Test Template     The Sensor Is Blamed And The Machine Is Not

*** Test Cases ***                SCENARIO                    STATE
A Reading That Stands Still       sensor_fault_only           stuck
Samples That Are Lost             sensor_dropout              dropout
A Range That Is Cut Off           sensor_saturation           saturated
A Zero That Jumps                 sensor_bias                 bias
Single Wild Readings              sensor_spike                spike

*** Keywords ***
The Sensor Is Blamed And The Machine Is Not
    [Arguments]    ${scenario}    ${state}
    Start Monitoring    bearing_rig
    Feed Sensors    ${scenario}
    Register Failing Uart String    alert machine
    Pass Time    4
    Transcript Should Not Contain    alert
    Wait For Line On Uart    alert sensor 0 (raised|changed) ${state}    timeout=3    treatAsRegex=true
    Pass Time    1
    Transcript Should Not Contain    alert machine
    Keep Transcript    ${scenario}
