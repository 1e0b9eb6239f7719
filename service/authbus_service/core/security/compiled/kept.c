/* Argon2id of one lane, with its memory kept: each thread maps it once, in huge pages where it may.
 * libargon2 wipes it after every hash, as it does when the memory goes back. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "argon2.h"

#define HUGE_PAGE ((size_t)2 << 20)

typedef struct {
    void *base;
    size_t size;
} memory_t;

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int has_key;

static void give_back(void *mine) {
    memory_t *memory = mine;
    if (memory->base != NULL)
        munmap(memory->base, memory->size);
    free(memory);
}

static void make_key(void) { has_key = pthread_key_create(&key, give_back) == 0; }

static memory_t *of_this_thread(void) {
    memory_t *memory = NULL;
    pthread_once(&once, make_key);
    if (!has_key)
        return NULL;
    memory = pthread_getspecific(key);
    if (memory == NULL && (memory = calloc(1, sizeof *memory)) != NULL &&
        pthread_setspecific(key, memory) != 0) {
        free(memory);
        memory = NULL;
    }
    return memory;
}

static int take(uint8_t **blocks, size_t wanted) {
    memory_t *memory = of_this_thread();
    size_t size = wanted + HUGE_PAGE;
    *blocks = NULL;
    if (memory == NULL || size < wanted)
        return ARGON2_MEMORY_ALLOCATION_ERROR;
    if (memory->size < size) {
        if (memory->base != NULL)
            munmap(memory->base, memory->size);
        memory->size = 0;
        memory->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory->base == MAP_FAILED) {
            memory->base = NULL;
            return ARGON2_MEMORY_ALLOCATION_ERROR;
        }
        memory->size = size;
        madvise(memory->base, size, MADV_HUGEPAGE);
        madvise(memory->base, size, MADV_DONTDUMP);
    }
    *blocks = (uint8_t *)(((uintptr_t)memory->base + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
    return ARGON2_OK;
}

static void keep(uint8_t *blocks, size_t size) {
    (void)blocks;
    (void)size;
}

/* Returns libargon2's error code, 0 for none. */
__attribute__((visibility("default"))) int authbus_argon2id(
    uint32_t memory_kib, uint32_t passes, uint8_t *password, uint32_t password_length,
    uint8_t *salt, uint32_t salt_length, uint8_t *tag, uint32_t tag_length) {
    argon2_context context = {0};
    context.out = tag;
    context.outlen = tag_length;
    context.pwd = password;
    context.pwdlen = password_length;
    context.salt = salt;
    context.saltlen = salt_length;
    context.t_cost = passes;
    context.m_cost = memory_kib;
    context.lanes = 1;
    context.threads = 1;
    context.version = ARGON2_VERSION_NUMBER;
    context.allocate_cbk = take;
    context.free_cbk = keep;
    return argon2_ctx(&context, Argon2_id);
}
