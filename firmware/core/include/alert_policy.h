/* When flagged windows become an alert, and when it is over: models/alert_policy.py, step by step. */
#ifndef ALERT_POLICY_H
#define ALERT_POLICY_H

#include <stdint.h>

#define ALERT_RING 32

enum alert_change { ALERT_SAME = 0, ALERT_RAISED = 1, ALERT_CHANGED = 2, ALERT_CLEARED = 3 };

struct alert_policy {
    uint8_t ring[ALERT_RING]; /* classes of the last n windows judged; 0: not flagged */
    uint8_t at;               /* place of the next one */
    uint8_t calm;             /* windows in a row that were not flagged, at most quiet */
    uint8_t alert;            /* class that is alerted; 0: none */
    uint8_t flagged, of;      /* k of n: 1 <= flagged <= of <= ALERT_RING */
    uint8_t quiet;            /* m: 1 .. 255 */
};

void alert_policy_init(struct alert_policy *policy, int32_t flagged, int32_t of, int32_t quiet);

/* One window more that was judged: 0 not flagged, else its class. */
enum alert_change alert_policy_step(struct alert_policy *policy, uint8_t window_class);

#endif
