*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Reset Emulation
Test Teardown     Test Teardown
Resource          ${CURDIR}/simtwin.resource

*** Test Cases ***
Wear That Grows Is Seen Before It Is Alerted
    [Documentation]    Single windows are flagged, then enough of them for an alert.
    Start Monitoring    bearing_rig
    Feed Sensors    wear_grows
    Pass Time    5
    Transcript Should Not Contain    alert
    Wait For Line On Uart    window \\d+ bearing_wear    timeout=18    treatAsRegex=true
    Transcript Should Not Contain    alert
    Wait For Line On Uart    alert machine raised bearing_wear    timeout=18
    Keep Transcript    wear
