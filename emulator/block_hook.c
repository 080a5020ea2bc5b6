/* Called by Unicorn before every block of instructions: counts them, and stops the processor when an event is due.
 *
 * The same rules as the hook in Python (cpu.py), which is the reference: tests hold the two against each other. Unicorn is
 * called through function pointers only, so that none of its headers is needed. */
#include <stdint.h>

enum { STOP_DEADLINE = 1, STOP_INTERRUPT = 2, STOP_REFUSED = 3, STOP_FRAMES = 4 };
enum { REGISTER_RA = 2, REGISTER_SP = 3 }; /* UC_RISCV_REG_X1 and UC_RISCV_REG_X2 */
enum { MSTATUS_MIE = 8, MAX_FRAMES = 16 };
#define NO_STAGE UINT32_MAX

struct region {
    uint32_t base, size;
    const uint8_t *bytes;
};

struct code_block {
    uint32_t pc, size, instructions, function, stage, refused_pc;
};

struct frame {
    uint32_t exit_pc, sp, stage;
};

struct hook_state {
    uint64_t instructions;  /* executed so far, the block at work included */
    uint64_t deadline;      /* stop before the first block that begins at or after it */
    uint64_t poll_until;    /* the register at poll_address reads poll_value before this instruction */
    uint32_t poll_address, poll_value;
    uint32_t pending_line;  /* interrupt line that waits; 0: none */
    uint32_t stopped;       /* why, STOP_... ; 0: not by the hook */
    uint32_t refused_pc;
    uint32_t block_pc, block_size;
    uint32_t n_frames;
    struct frame frames[MAX_FRAMES];
    uint64_t *function_counts; /* n_functions + 1: the last is for code without a symbol */
    uint64_t *stage_counts;    /* [0]: in no stage */
    const uint32_t *function_starts;
    uint32_t n_functions, n_entries;
    const uint32_t *entry_pcs, *entry_stages;
    const uint32_t *allowed_csrs; /* 4096 bits */
    const struct region *regions;
    uint32_t n_regions, cache_mask;
    int32_t mstatus; /* UC_RISCV_REG_MSTATUS */
    struct code_block *cache;
    int (*stop)(void *uc);
    int (*read_register)(void *uc, int id, void *value);
    uint32_t (*read)(uint32_t address, uint32_t size);
    void (*write)(uint32_t address, uint32_t size, uint32_t value);
};

static uint32_t function_at(const struct hook_state *s, uint32_t pc)
{
    uint32_t low = 0, high = s->n_functions; /* the last start at or below pc */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->function_starts[middle] <= pc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? s->n_functions : low - 1;
}

/* CSRs that the C3 has not, and atomics: Unicorn would run them. */
static int is_refused(const struct hook_state *s, uint32_t word)
{
    uint32_t opcode = word & 0x7F;
    if (opcode == 0x2F) {
        return 1;
    }
    if (opcode == 0x73 && (word >> 12 & 3) != 0) {
        uint32_t csr = word >> 20;
        return (s->allowed_csrs[csr / 32] >> csr % 32 & 1) == 0;
    }
    return 0;
}

static void decode(const struct hook_state *s, struct code_block *b, uint32_t pc, uint32_t size)
{
    b->pc = pc;
    b->size = size;
    b->instructions = 0;
    b->refused_pc = 0;
    b->function = function_at(s, pc);
    b->stage = NO_STAGE;
    for (uint32_t i = 0; i < s->n_entries; i++) {
        if (s->entry_pcs[i] == pc) {
            b->stage = s->entry_stages[i];
        }
    }
    for (uint32_t i = 0; i < s->n_regions; i++) {
        const struct region *r = &s->regions[i];
        if (pc - r->base >= r->size || size > r->size - (pc - r->base)) {
            continue;
        }
        const uint8_t *at = r->bytes + (pc - r->base);
        for (uint32_t k = 0; k < size;) {
            uint32_t step = (at[k] & 3) == 3 ? 4 : 2;
            if (step == 4 && k + 4 <= size && b->refused_pc == 0) {
                uint32_t word = at[k] | (uint32_t)at[k + 1] << 8 | (uint32_t)at[k + 2] << 16 | (uint32_t)at[k + 3] << 24;
                if (is_refused(s, word)) {
                    b->refused_pc = pc + k;
                }
            }
            b->instructions++;
            k += step;
        }
        return;
    }
}

static void stop(void *uc, struct hook_state *s, uint32_t why)
{
    s->stopped = why;
    s->stop(uc);
}

static uint32_t register_value(void *uc, const struct hook_state *s, int id)
{
    uint64_t value = 0;
    s->read_register(uc, id, &value);
    return (uint32_t)value;
}

void on_block(void *uc, uint64_t address, uint32_t size, void *user);
void on_block(void *uc, uint64_t address, uint32_t size, void *user)
{
    struct hook_state *s = user;
    uint32_t pc = (uint32_t)address;
    if (s->pending_line != 0 && (register_value(uc, s, s->mstatus) & MSTATUS_MIE) != 0) {
        stop(uc, s, STOP_INTERRUPT);
        return;
    }
    if (s->instructions >= s->deadline) {
        stop(uc, s, STOP_DEADLINE);
        return;
    }
    struct code_block *b = &s->cache[pc >> 1 & s->cache_mask];
    if (b->pc != pc || b->size != size) {
        decode(s, b, pc, size);
    }
    if (b->refused_pc != 0) {
        s->refused_pc = b->refused_pc;
        stop(uc, s, STOP_REFUSED);
        return;
    }
    while (s->n_frames != 0 && s->frames[s->n_frames - 1].exit_pc == pc &&
           s->frames[s->n_frames - 1].sp == register_value(uc, s, REGISTER_SP)) {
        s->n_frames--;
    }
    if (b->stage != NO_STAGE) {
        const struct frame entered = {register_value(uc, s, REGISTER_RA), register_value(uc, s, REGISTER_SP), b->stage};
        const struct frame *top = s->n_frames == 0 ? 0 : &s->frames[s->n_frames - 1];
        /* A loop back to the function's first instruction is no new call. */
        if (top == 0 || top->exit_pc != entered.exit_pc || top->sp != entered.sp || top->stage != entered.stage) {
            if (s->n_frames == MAX_FRAMES) {
                stop(uc, s, STOP_FRAMES);
                return;
            }
            s->frames[s->n_frames++] = entered;
        }
    }
    s->block_pc = pc;
    s->block_size = size;
    s->instructions += b->instructions;
    s->function_counts[b->function] += b->instructions;
    s->stage_counts[s->n_frames == 0 ? 0 : s->frames[s->n_frames - 1].stage] += b->instructions;
}

/* A page of registers. A polling loop on a register that is known to stay as it is does not go through Python. */
struct page {
    struct hook_state *state;
    uint32_t base;
};

uint64_t on_read(void *uc, uint64_t offset, unsigned size, void *user);
uint64_t on_read(void *uc, uint64_t offset, unsigned size, void *user)
{
    struct hook_state *s = ((const struct page *)user)->state;
    uint32_t address = ((const struct page *)user)->base + (uint32_t)offset;
    (void)uc;
    if (address == s->poll_address && size == 4 && s->instructions < s->poll_until) {
        return s->poll_value;
    }
    return s->read(address, size);
}

void on_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *user);
void on_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    const struct page *p = user;
    (void)uc;
    p->state->write(p->base + (uint32_t)offset, size, (uint32_t)value);
}
