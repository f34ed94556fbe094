#include "data/letters.h"

#include <stddef.h>

/* Beyond ASCII, in rising order. */
static const struct {
    uint32_t first, last;
} separators[] = {
    {0x80, 0xA9},     {0xAB, 0xB4},     {0xB6, 0xB9},     {0xBB, 0xBF},     {0xD7, 0xD7},
    {0xF7, 0xF7},     {0x2000, 0x206F}, {0x3000, 0x3004}, {0x3008, 0x3020}, {0xFEFF, 0xFEFF},
    {0xFF01, 0xFF0F}, {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65},
};

bool ar_letter_in_word(uint32_t c) {
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    for (size_t i = 0; i < sizeof separators / sizeof *separators && c >= separators[i].first; i++)
        if (c <= separators[i].last)
            return false;
    return true;
}

/* Blocks of capitals whose small letter is found by arithmetic: either at a distance or, where
 * capital and small letter alternate, right behind. In rising order. */
static const struct {
    uint32_t first, last;
    uint32_t distance; /* 0: alternating, the first is a capital */
} capitals[] = {
    {'A', 'Z', 32},     {0xC0, 0xD6, 32},   {0xD8, 0xDE, 32},   {0x100, 0x12F, 0},
    {0x132, 0x137, 0},  {0x139, 0x148, 0},  {0x14A, 0x177, 0},  {0x179, 0x17E, 0},
    {0x386, 0x386, 38}, {0x388, 0x38A, 37}, {0x38C, 0x38C, 64}, {0x38E, 0x38F, 63},
    {0x391, 0x3A1, 32}, {0x3A3, 0x3AB, 32}, {0x3D8, 0x3EF, 0},  {0x400, 0x40F, 80},
    {0x410, 0x42F, 32}, {0x460, 0x481, 0},  {0x48A, 0x4BF, 0},  {0x4C0, 0x4C0, 15},
    {0x4C1, 0x4CE, 0},  {0x4D0, 0x52F, 0},
};

uint32_t ar_letter_lower(uint32_t c) {
    if (c == 0x130) /* capital I with a dot: a plain i, without the combining mark */
        return 'i';
    if (c == 0x178) /* capital Y with diaeresis: its small letter is in Latin-1 */
        return 0xFF;
    for (size_t i = 0; i < sizeof capitals / sizeof *capitals && c >= capitals[i].first; i++) {
        if (c > capitals[i].last)
            continue;
        if (capitals[i].distance > 0)
            return c + capitals[i].distance;
        return (c - capitals[i].first) % 2 == 0 ? c + 1 : c;
    }
    return c;
}
