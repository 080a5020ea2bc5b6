*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Reset Emulation
Test Teardown     Test Teardown
Resource          ${CURDIR}/simtwin.resource

*** Test Cases ***
Boots And Says Who It Is
    Create Machine    bearing_rig
    ${hello}=    Wait For Line On Uart    hello simtwin    timeout=1
    Should Contain    ${hello.Line}    boot 1 reset power
    Wait For Line On Uart    imu 0 running    timeout=1
    Wait For Line On Uart    ready imus 1    timeout=1
    Write Line To Uart    version    waitForEcho=false
    Wait For Line On Uart    ok simtwin    timeout=1
    Keep Transcript    boot

Keeps Its Configuration In Flash
    Create Machine    bearing_rig
    Wait For Line On Uart    ready imus 1
    Configure    heartbeat_s    3
    ${first}=    Instructions Executed
    Restart
    Write Line To Uart    config heartbeat_s    waitForEcho=false
    Wait For Line On Uart    ok heartbeat_s 3 s
    Write Line To Uart    version    waitForEcho=false
    Wait For Line On Uart    boot 2 reset software

Waits For An IMU That Does Not Answer
    Create Machine    bearing_rig
    Cut Wire    0
    Wait For Line On Uart    imu 0 away    timeout=2
    Mend Wire    0
    Wait For Line On Uart    imu 0 running    timeout=3
    Wait For Line On Uart    ready imus 1    timeout=1
