*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Reset Emulation
Test Teardown     Test Teardown
Resource          ${CURDIR}/simtwin.resource

*** Test Cases ***
A Healthy Machine Raises No Alert
    Start Monitoring    bearing_rig
    Feed Sensors    bearing_rig_healthy
    Pass Time    9.5
    Transcript Should Not Contain    alert
    Transcript Should Contain    window    25
    Keep Transcript    healthy
