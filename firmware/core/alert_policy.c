#include "alert_policy.h"

void alert_policy_init(struct alert_policy *policy, int32_t k, int32_t n, int32_t clear) {
    *policy = (struct alert_policy){.k = (uint8_t)k, .n = (uint8_t)n, .clear = (uint16_t)clear};
}

static uint32_t count_ones(uint32_t bits) {
    uint32_t count = 0;
    for (; bits; bits &= bits - 1) { /* at most 32 times */
        count++;
    }
    return count;
}

enum alert_event alert_policy_step(struct alert_policy *policy, bool flagged) {
    policy->history = policy->history << 1 | (flagged ? 1u : 0u);
    if (policy->raised) {
        policy->quiet = flagged ? 0 : (uint16_t)(policy->quiet + 1u);
        if (policy->quiet < policy->clear) {
            return ALERT_NONE;
        }
        policy->raised = false;
        alert_policy_forget(policy);
        return ALERT_CLEARED;
    }
    uint32_t last_n = policy->history & (0xFFFFFFFFu >> (32 - policy->n));
    if (count_ones(last_n) < policy->k) {
        return ALERT_NONE;
    }
    policy->raised = true;
    policy->quiet = 0;
    return ALERT_RAISED;
}

void alert_policy_forget(struct alert_policy *policy) { policy->history = 0; }
