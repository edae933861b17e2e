/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plane store of a card: the memory backend that holds it, opened with
 * the controller library, and the lock that the library asks for.
 *
 * Locks
 *   sq_store_read_lock() for the library's [shared] functions,
 *   sq_store_write_lock() for its [exclusive] ones. A waiting writer goes
 *   before new readers, so a stream of fetches cannot starve a store.
 *   A thread that holds this lock must never wait for the BQL or for the main
 *   loop: a vCPU that holds the BQL may be waiting for this lock.
 */
#ifndef HW_SMARTQUANT_STORE_H
#define HW_SMARTQUANT_STORE_H

#include "system/hostmem.h"
#include "controller/controller.h"

typedef struct SQStore {
    struct sqc_store *store;        /* NULL while closed */
    struct sqc_environment environment;
    pthread_rwlock_t lock;
    HostMemoryBackend *backend;
    uint8_t *memory;                /* the backend's, as mapped here */
    uint64_t bytes;
    int locked_fd;                  /* -1: nothing to unlock */
    bool read_only;
} SQStore;

/* Formats a blank backend; refuses anything that is not a whole store. */
bool sq_store_open(SQStore *s, HostMemoryBackend *backend,
                   uint64_t logical_bytes, Error **errp);
void sq_store_close(SQStore *s);

void sq_store_read_lock(SQStore *s);
void sq_store_write_lock(SQStore *s);
void sq_store_unlock(SQStore *s);

#endif /* HW_SMARTQUANT_STORE_H */
