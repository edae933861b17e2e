/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plane store of a card (see store.h).
 */
#include "qemu/osdep.h"
#include <sys/file.h>
#include <sys/mman.h>
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/memalign.h"
#include "qapi/error.h"
#include "exec/memory.h"
#include "exec/ramblock.h"
#include "store.h"
#include "trace.h"

#define SQ_STORE_ALIGN 4096u

static void *sq_store_allocate(void *context, size_t bytes)
{
    return qemu_try_memalign(SQC_LINE_BYTES, bytes);
}

static void sq_store_release(void *context, void *memory)
{
    qemu_vfree(memory);
}

/* msync wants whole host pages; the range only grows by rounding. */
static int sq_store_sync(void *context, uint64_t offset, uint64_t bytes)
{
    SQStore *s = context;
    uint64_t page = qemu_real_host_page_size();
    uint64_t start = ROUND_DOWN(offset, page);
    uint64_t end;

    if (offset > s->bytes || bytes > s->bytes - offset) {
        return -1;
    }
    end = MIN(ROUND_UP(offset + bytes, page), ROUND_UP(s->bytes, page));
    if (msync(s->memory + start, end - start, MS_SYNC) < 0) {
        trace_smartquant_err_sync(offset, bytes, errno);
        return -1;
    }
    trace_smartquant_sync(offset, bytes);
    return 0;
}

/*
 * Gives a range of a sparse file its blocks: a full disk then refuses the
 * request, where a write through the mapping would end the process.
 */
static int sq_store_reserve(void *context, uint64_t offset, uint64_t bytes)
{
    SQStore *s = context;
    MemoryRegion *mr = host_memory_backend_get_memory(s->backend);
    int fd = memory_region_get_fd(mr);

    if (fd < 0 || s->read_only) {
        return 0;
    }
    if (fallocate(fd, 0, mr->ram_block->fd_offset + offset, bytes) == 0 ||
        errno == EOPNOTSUPP) {
        return 0;
    }
    trace_smartquant_err_reserve(offset, bytes, errno);
    return -1;
}

/*
 * One opener at a time: a second virtual machine, or the embedded store, on
 * the same file would write over this one's data.
 */
static bool sq_store_lock_file(SQStore *s, int fd, Error **errp)
{
    s->locked_fd = -1;
    if (fd < 0) {
        return true;
    }
    if (flock(fd, (s->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
        error_setg_errno(errp, errno, "store file of memory backend '%s' is "
                         "in use by another process; stop it first",
                         object_get_canonical_path_component(
                             OBJECT(s->backend)));
        return false;
    }
    s->locked_fd = fd;
    return true;
}

static void sq_store_unlock_file(SQStore *s)
{
    if (s->locked_fd >= 0) {
        flock(s->locked_fd, LOCK_UN);
        s->locked_fd = -1;
    }
}

static bool sq_store_check_backend(SQStore *s, MemoryRegion *mr, Error **errp)
{
    const char *id = object_get_canonical_path_component(OBJECT(s->backend));

    if (s->bytes < SQC_STORE_BYTES_MIN || s->bytes % SQ_STORE_ALIGN) {
        error_setg(errp, "memory backend '%s' has %" PRIu64 " bytes; a store "
                   "needs at least %u, in multiples of %u", id, s->bytes,
                   SQC_STORE_BYTES_MIN, SQ_STORE_ALIGN);
        return false;
    }
    if (memory_region_is_rom(mr)) {
        /* Counters are kept beside the planes, in a read-only store too. */
        error_setg(errp, "memory backend '%s' cannot be written to, not even "
                   "for counters; for a read-only store set "
                   "readonly=on,rom=off,share=off", id);
        return false;
    }
    if (memory_region_get_fd(mr) >= 0 && !s->read_only && !s->backend->share) {
        error_setg(errp, "memory backend '%s' is a private copy of its file, "
                   "so nothing would be stored; set share=on", id);
        return false;
    }
    return true;
}

static bool sq_store_open_controller(SQStore *s, uint64_t logical_bytes,
                                     Error **errp)
{
    const char *id = object_get_canonical_path_component(OBJECT(s->backend));
    const char *reason = NULL;
    bool blank = sqc_is_blank(s->memory, s->bytes);
    sqc_status status;

    if (blank && !s->read_only) {
        status = sqc_format(s->memory, s->bytes, &s->environment);
        if (status) {
            error_setg(errp, "memory backend '%s' could not be formatted as "
                       "a store: %s", id, sqc_status_text(status));
            return false;
        }
    }
    status = sqc_open(&s->store, s->memory, s->bytes, &s->environment,
                      s->read_only ? SQC_OPEN_READ_ONLY : 0, logical_bytes,
                      &reason);
    if (status) {
        s->store = NULL;
        error_setg(errp, "memory backend '%s' holds no usable store: %s%s%s",
                   id, sqc_status_text(status), reason ? ": " : "",
                   reason ? reason : "");
        error_append_hint(errp, "It is left as it is. Use the store's own "
                          "file, or an empty one of zeros.\n");
        return false;
    }
    trace_smartquant_store_open(id, s->bytes, logical_bytes, blank);
    return true;
}

bool sq_store_open(SQStore *s, HostMemoryBackend *backend,
                   uint64_t logical_bytes, Error **errp)
{
    ERRP_GUARD();
    MemoryRegion *mr = host_memory_backend_get_memory(backend);
    pthread_rwlockattr_t attributes;

    s->backend = backend;
    s->memory = memory_region_get_ram_ptr(mr);
    s->bytes = memory_region_size(mr);
    /* Only file backends have the property. */
    s->read_only = object_property_get_bool(OBJECT(backend), "readonly", NULL);
    s->environment = (struct sqc_environment) {
        .context = s,
        .allocate = sq_store_allocate,
        .release = sq_store_release,
        .sync = sq_store_sync,
        .reserve = sq_store_reserve,
    };
    if (!sq_store_check_backend(s, mr, errp) ||
        !sq_store_lock_file(s, memory_region_get_fd(mr), errp)) {
        return false;
    }
    if (!sq_store_open_controller(s, logical_bytes, errp)) {
        sq_store_unlock_file(s);
        return false;
    }
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes,
                                  PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&s->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    return true;
}

void sq_store_close(SQStore *s)
{
    if (!s->store) {
        return;
    }
    sqc_close(s->store);
    s->store = NULL;
    pthread_rwlock_destroy(&s->lock);
    sq_store_unlock_file(s);
    trace_smartquant_store_close();
}

void sq_store_read_lock(SQStore *s)
{
    pthread_rwlock_rdlock(&s->lock);
}

void sq_store_write_lock(SQStore *s)
{
    pthread_rwlock_wrlock(&s->lock);
}

void sq_store_unlock(SQStore *s)
{
    pthread_rwlock_unlock(&s->lock);
}
