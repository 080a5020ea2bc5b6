#include "alert_policy.h"

void alert_policy_init(struct alert_policy *policy, int32_t flagged, int32_t of, int32_t quiet) {
    *policy = (struct alert_policy){.flagged = (uint8_t)flagged, .of = (uint8_t)of, .quiet = (uint8_t)quiet};
}

/* Entries of the ring equal to a class. */
static uint32_t count(const struct alert_policy *policy, uint8_t window_class) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < policy->of; i++) {
        found += policy->ring[i] == window_class;
    }
    return found;
}

/* The class with the most entries, the lowest of equals; 0 without any. */
static uint8_t leader(const struct alert_policy *policy) {
    uint8_t best = 0;
    uint32_t most = 0;
    for (uint32_t i = 0; i < policy->of; i++) {
        uint8_t each = policy->ring[i];
        uint32_t found = each ? count(policy, each) : 0;
        if (found > most || (found == most && found && each < best)) {
            best = each;
            most = found;
        }
    }
    return best;
}

enum alert_change alert_policy_step(struct alert_policy *policy, uint8_t window_class) {
    policy->ring[policy->at] = window_class;
    policy->at = (uint8_t)((policy->at + 1u) % policy->of);
    if (window_class) {
        policy->calm = 0;
    } else if (policy->calm < policy->quiet) {
        policy->calm++;
    }
    uint8_t leads = leader(policy);
    if (!policy->alert) {
        if (policy->of - count(policy, 0) < policy->flagged) {
            return ALERT_SAME;
        }
        policy->alert = leads;
        return ALERT_RAISED;
    }
    if (policy->calm >= policy->quiet) {
        policy->alert = 0;
        for (uint32_t i = 0; i < policy->of; i++) {
            policy->ring[i] = 0;
        }
        return ALERT_CLEARED;
    }
    uint32_t most = count(policy, leads);
    if (leads && leads != policy->alert && most >= policy->flagged && most > count(policy, policy->alert)) {
        policy->alert = leads;
        return ALERT_CHANGED;
    }
    return ALERT_SAME;
}
