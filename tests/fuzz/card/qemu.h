/* SPDX-License-Identifier: MIT */
/*
 * As much of QEMU as the card's command and transfer code needs, for one
 * thread and without a machine: locks are nothing, DMA reaches an array. All
 * QEMU headers that it includes are this one (see CMakeLists.txt).
 */
#ifndef SQ_FUZZ_CARD_QEMU_H
#define SQ_FUZZ_CARD_QEMU_H

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- compiler and arithmetic -------------------------------------------- */

#define QEMU_ALIGNED(bytes) __attribute__((aligned(bytes)))
#define QEMU_BUILD_BUG_ON(wrong) _Static_assert(!(wrong), "not " #wrong)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define sizeof_field(type, field) sizeof(((type *)0)->field)
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define BIT(bit) (1ul << (bit))

static inline uint16_t le16_to_cpu(uint16_t value) { return value; }
static inline uint32_t le32_to_cpu(uint32_t value) { return value; }
static inline uint64_t le64_to_cpu(uint64_t value) { return value; }
static inline uint16_t cpu_to_le16(uint16_t value) { return value; }
static inline uint32_t cpu_to_le32(uint32_t value) { return value; }
static inline uint64_t cpu_to_le64(uint64_t value) { return value; }
static inline void le16_to_cpus(uint16_t *value) { (void)value; }

static inline uint64_t ldn_le_p(const void *from, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, from, bytes);
    return value;
}

static inline void stn_le_p(void *to, unsigned bytes, uint64_t value)
{
    memcpy(to, &value, bytes);
}

/* As QEMU's, they take no field outside of the 64 bits. */
static inline uint64_t field_mask(int start, int length)
{
    if (start < 0 || length <= 0 || length > 64 - start) {
        abort();
    }
    return ~0ull >> (64 - length) << start;
}

static inline uint64_t extract64(uint64_t value, int start, int length)
{
    return (value & field_mask(start, length)) >> start;
}

static inline uint64_t deposit64(uint64_t value, int start, int length,
                                 uint64_t field)
{
    uint64_t mask = field_mask(start, length);

    return (value & ~mask) | (field << start & mask);
}

#define ctz64 __builtin_ctzll

static inline bool buffer_is_zero(const void *buffer, size_t bytes)
{
    const uint8_t *at = buffer;

    for (size_t i = 0; i < bytes; i++) {
        if (at[i]) {
            return false;
        }
    }
    return true;
}

/* ---- memory ------------------------------------------------------------- */

#define g_new(type, count) ((type *)malloc(sizeof(type) * (count)))
#define g_new0(type, count) ((type *)calloc(count, sizeof(type)))
#define g_free free
#define qemu_vfree free

static inline void sq_autofree(char **memory) { free(*memory); }
#define g_autofree __attribute__((cleanup(sq_autofree)))

static inline char *g_strdup_printf(const char *format, ...)
{
    char *text = malloc(64);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, 64, format, arguments);
    va_end(arguments);
    return text;
}

static inline void *qemu_try_memalign(size_t align, size_t bytes)
{
    return aligned_alloc(align, (bytes + align - 1) / align * align);
}

/* ---- threads: there is one ---------------------------------------------- */

typedef struct QemuMutex { int none; } QemuMutex;
typedef struct QemuCond { int none; } QemuCond;
typedef struct QemuThread { int none; } QemuThread;

#define QEMU_THREAD_JOINABLE 0
#define QEMU_LOCK_GUARD(lock) ((void)(lock))
#define WITH_QEMU_LOCK_GUARD(lock) \
    for (bool once = ((void)(lock), true); once; once = false)
#define qatomic_read(at) (*(at))
#define qatomic_set(at, value) (*(at) = (value))

static inline void qemu_mutex_init(QemuMutex *lock) { (void)lock; }
static inline void qemu_mutex_lock(QemuMutex *lock) { (void)lock; }
static inline void qemu_mutex_unlock(QemuMutex *lock) { (void)lock; }
static inline void qemu_mutex_destroy(QemuMutex *lock) { (void)lock; }
static inline void qemu_cond_init(QemuCond *cond) { (void)cond; }
static inline void qemu_cond_destroy(QemuCond *cond) { (void)cond; }
static inline void qemu_cond_signal(QemuCond *cond) { (void)cond; }
static inline void qemu_cond_broadcast(QemuCond *cond) { (void)cond; }
/* What the thread waits for happens: card.c. */
void qemu_cond_wait(QemuCond *cond, QemuMutex *lock);
static inline void qemu_thread_create(QemuThread *thread, const char *name,
                                      void *(*run)(void *), void *opaque,
                                      int mode)
{
    (void)thread, (void)name, (void)run, (void)opaque, (void)mode;
}
static inline void qemu_thread_join(QemuThread *thread) { (void)thread; }

/* ---- devices ------------------------------------------------------------ */

typedef uint64_t hwaddr;
#define HWADDR_PRIx PRIx64
#define qemu_log_mask(mask, ...) ((void)0)
typedef int MemTxResult;
typedef struct MemTxAttrs { unsigned memory : 1; } MemTxAttrs;
typedef enum { DMA_DIRECTION_TO_DEVICE, DMA_DIRECTION_FROM_DEVICE } DMADirection;
typedef struct MemoryRegion { int none; } MemoryRegion;
typedef struct MemReentrancyGuard { int none; } MemReentrancyGuard;
typedef struct PCIDevice { int none; } PCIDevice;
typedef struct QEMUBH QEMUBH;
typedef struct HostMemoryBackend HostMemoryBackend;
typedef struct Error Error;
typedef struct CXLComponentState { int none; } CXLComponentState;
typedef struct CXLType3Dev {
    CXLComponentState cxl_cstate;
    uint64_t sn;
} CXLType3Dev;

#define MEMTX_OK 0
#define MEMTX_ERROR 1
#define PCI_DEVICE(object) (&(object)->parent_obj)
#define OBJECT_DECLARE_SIMPLE_TYPE(type, name) typedef struct type type;
#define QSIMPLEQ_HEAD(name, type) struct name { struct type *first; }

/* To and from the guest's memory: card.c. */
MemTxResult pci_dma_rw(PCIDevice *device, uint64_t address, void *buffer,
                       uint64_t bytes, DMADirection direction,
                       MemTxAttrs attributes);

#endif /* SQ_FUZZ_CARD_QEMU_H */
