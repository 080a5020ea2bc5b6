*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Reset Emulation
Test Teardown     Test Teardown
Resource          ${CURDIR}/simtwin.resource

*** Test Cases ***
Verdicts Are Those Of The Host Bit By Bit
    [Documentation]    The same samples through the same C on the machine that made this test.
    Start Monitoring    bearing_rig
    Feed Sensors    bearing_rig_imbalance
    Wait For Line On Uart    window 20    timeout=12
    Verdicts Should Be    bearing_rig_imbalance

What A Second Of Monitoring Costs
    Start Monitoring    bearing_rig
    Feed Sensors    bearing_rig_healthy
    Wait For Line On Uart    window 2
    ${before}=    Instructions Executed
    Pass Time    5
    ${after}=    Instructions Executed
    ${share}=    Evaluate    (${after} - ${before}) / 5 / 160e6
    ${spent}=    Evaluate    ${after} - ${before}
    Log To Console    ${spent} instructions in 5 s of monitoring
    Should Be True    0 < ${share} < 0.5
