*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Reset Emulation
Test Teardown     Test Teardown
Resource          ${CURDIR}/simtwin.resource
Test Template     The Fault Is Alerted And Not Before It Is There

*** Test Cases ***                SCENARIO                    STATE
Imbalance                         bearing_rig_imbalance       imbalance
Misalignment                      bearing_rig_misalignment    misalignment
Bent Shaft                        bearing_rig_bent_shaft      bent_shaft
Looseness                         bearing_rig_looseness       looseness
Spall On The Outer Race           bearing_rig_bearing_outer   bearing_wear
Spall On The Inner Race           bearing_rig_bearing_inner   bearing_wear
Spall On A Ball                   bearing_rig_bearing_ball    bearing_wear
Wear Of A Bearing                 bearing_rig_bearing_wear    bearing_wear

*** Keywords ***
The Fault Is Alerted And Not Before It Is There
    [Documentation]    Every scenario is healthy for 5 s; the fault is there at once then.
    [Arguments]    ${scenario}    ${state}
    Start Monitoring    bearing_rig
    Feed Sensors    ${scenario}
    Pass Time    5
    Transcript Should Not Contain    alert
    Register Failing Uart String    alert sensor
    Wait For Line On Uart    alert machine (raised|changed) ${state}    timeout=4    treatAsRegex=true
    Keep Transcript    ${scenario}
