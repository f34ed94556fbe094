/* A small made-up catalog with sessions, for tests that train. */
#ifndef TEST_SHOP_H
#define TEST_SHOP_H

#include "core/status.h"

typedef struct shop {
    alterrec_catalog *catalog;
    alterrec_sessions *train, *valid;
    alterrec_config *config; /* small model, no dropout unless set */
} shop;

/* `items` items with random features, `count` training sessions that walk from item to near item,
 * lengths 1 to 9. Aborts the test if anything fails. */
void shop_open(shop *s, int64_t items, int64_t count);
void shop_close(shop *s);

/* alterrec_config_set that aborts the test if it fails. */
void shop_set(shop *s, const char *key, const char *value);

#endif
