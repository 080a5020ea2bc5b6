/* What the firmware knows of a model, whichever it is.
 *
 * `simtwin export` writes model.c and model.h for one trained network. model.h includes this file, defines what
 * depends on the network at compile time, and declares what model.c holds:
 *
 *     MODEL_WINDOW        samples per channel of a window of counts, at the sensor's rate
 *     MODEL_HOP           samples from one window to the next
 *     MODEL_LENGTH        samples per channel of the network's input
 *     MODEL_CHANNELS      channels of a window and of the network's input
 *     MODEL_DECIMATION    counts per sample of the network's input; 1: none
 *     MODEL_TAPS          taps of the decimating FIR; 0: none
 *     MODEL_CLASSES       names of classes; of an autoencoder 2, its two verdicts
 *     MODEL_INPUT_SIZE    bytes of the network's input: MODEL_LENGTH * MODEL_CHANNELS, time-major
 *     MODEL_OUTPUT_SIZE   bytes of its output: MODEL_CLASSES, or MODEL_INPUT_SIZE of an autoencoder
 *     MODEL_SCRATCH_SIZE  bytes of model_scratch_t, which is aligned to 4
 *
 *     void model_infer(const int8_t input[MODEL_INPUT_SIZE], int8_t output[MODEL_OUTPUT_SIZE],
 *                      model_scratch_t *scratch);
 *     extern const struct model_description model_description;
 *
 * model_infer keeps nothing between calls: the scratch memory need not be cleared, and holds nothing afterwards.
 * Input, output and scratch must not overlap.
 */
#ifndef SIMTWIN_MODEL_H
#define SIMTWIN_MODEL_H

#include <stdint.h>

/* Version of this file's structures. */
#define SIMTWIN_MODEL_FORMAT 1
/* Bytes of a model's identity: the SHA-256 of its int8 .tflite file. */
#define SIMTWIN_MODEL_HASH_SIZE 32

enum model_kind {
    /* The output has one byte q per class: its probability is (q + 128) / 256. */
    MODEL_CLASSIFIER = 0,
    /* The output is the input as it would be were the machine normal. */
    MODEL_AUTOENCODER = 1
};

enum model_scaling {
    MODEL_SCALING_LINEAR = 0,
    MODEL_SCALING_LOG = 1
};

/* Of a channel's values; its name ends so, too. */
enum model_unit {
    MODEL_UNIT_OTHER = 0,
    MODEL_UNIT_G = 1,  /* acceleration, standard gravity */
    MODEL_UNIT_DPS = 2 /* angular rate, degrees per second */
};

/* Constants of one channel; their use is defined in models/preprocessing.py. */
struct model_channel {
    const char *name;  /* such as "x_g" */
    uint32_t lsb_nano; /* what one count stands for, 1e-9 of the unit, at least 1 */
    int16_t offset;    /* counts, taken off; 0 with detrending */
    uint16_t gain;     /* logarithmic 0 .. 65535, linear 0 .. 32767 */
    uint8_t shift;     /* 1 .. 16 */
    uint8_t knee;      /* 0 .. 14; logarithmic only */
    uint8_t unit;      /* enum model_unit */
};

struct model_description {
    uint8_t sha256[SIMTWIN_MODEL_HASH_SIZE]; /* of the int8 .tflite: the model's identity */
    const char *architecture;                /* such as "gru" */
    const char *const *classes;              /* class_count names, normal first */
    const struct model_channel *channels;    /* channel_count, in the order of the counts */
    const int16_t *taps;                     /* tap_count, Q15, of the decimating FIR; null without */
    uint32_t threshold_int8;                 /* a window is flagged when its level is above this. Level of a classifier:
                                              * sum of (output + 128) over all classes but the first; of an autoencoder:
                                              * sum of (input - output)^2 */
    uint32_t rate_millihz;                   /* sampling rate of the counts; 0: rows without a rate */
    uint32_t window;                         /* samples per channel of a window of counts */
    uint32_t hop;                            /* samples from one window to the next, 1 and more */
    uint32_t input_size;                     /* bytes of the network's input */
    uint32_t output_size;                    /* bytes of its output */
    uint32_t scratch_size;                   /* bytes of model_scratch_t */
    uint16_t length;                         /* samples per channel of the network's input */
    uint16_t decimation;                     /* 1 and more; 1: none */
    uint16_t tap_count;                      /* 0 without decimation */
    uint8_t channel_count;                   /* 1 and more */
    uint8_t class_count;                     /* 2 and more */
    uint8_t format;                          /* SIMTWIN_MODEL_FORMAT */
    uint8_t kind;                            /* enum model_kind */
    uint8_t scaling;                         /* enum model_scaling */
    uint8_t detrend;                         /* 1: the window's mean is taken off, 0: the channels' offset */
};

#endif
