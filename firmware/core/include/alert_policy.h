/* When flagged windows become an alert, and when it ends: k of n raise it, m in a row without a flag clear it. */
#ifndef ALERT_POLICY_H
#define ALERT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

enum alert_event { ALERT_NONE = 0, ALERT_RAISED = 1, ALERT_CLEARED = 2 };

struct alert_policy {
    uint32_t history; /* the last windows, bit 0 the latest; 1 where flagged */
    uint16_t quiet;   /* windows in a row without a flag, while raised */
    uint8_t k, n;     /* 1 <= k <= n <= 32 */
    uint16_t clear;   /* m, 1 and more */
    bool raised;
};

void alert_policy_init(struct alert_policy *policy, int32_t k, int32_t n, int32_t clear);

/* One window more. */
enum alert_event alert_policy_step(struct alert_policy *policy, bool flagged);

/* Windows before this moment no longer count towards an alert; a raised one stands. */
void alert_policy_forget(struct alert_policy *policy);

#endif
