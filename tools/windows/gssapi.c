/*
 * libgssapi_krb5.so.2 for Wine 8, in front of the system's.
 *
 * Wine makes EncryptMessage of gss_wrap: the first bytes of the token go to the buffer with the data, the rest to the
 * one called TOKEN. Windows has it the other way about: TOKEN is the header of RFC 4121, rotated so that all that isn't
 * data is in it. So tokens are turned here: what gss_wrap gives, to "data, header, tail, confounder", and back for
 * gss_unwrap. Everything else is passed on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef REAL_LIBRARY
#error "REAL_LIBRARY has to be the path of the system's library"
#endif

enum { HEADER = 16, CONFOUNDER = 16 };

struct bytes {
  size_t length;
  unsigned char *value;
};

static void *real(const char *name) {
  static void *library;
  if (library == NULL) library = dlopen(REAL_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  void *found = library == NULL ? NULL : dlsym(library, name);
  if (found == NULL) {
    fprintf(stderr, "%s of %s can't be found: %s\n", name, REAL_LIBRARY, dlerror());
    abort();
  }
  return found;
}

/* Whether an encrypted message of RFC 4121 begins here. */
static int begins(const unsigned char *at) {
  return at[0] == 5 && at[1] == 4 && (at[2] & 2) != 0 && at[3] == 0xff;
}

uint32_t gss_wrap(uint32_t *minor, void *context, int conf, uint32_t qop, struct bytes *clear, int *state,
                  struct bytes *token) {
  uint32_t (*wrap)(uint32_t *, void *, int, uint32_t, struct bytes *, int *, struct bytes *) = real("gss_wrap");
  uint32_t status = wrap(minor, context, conf, qop, clear, state, token);
  size_t size = clear->length;
  if (status != 0 || token->length < HEADER + CONFOUNDER + size || !begins(token->value)) return status;
  size_t tail = token->length - HEADER - CONFOUNDER - size;
  unsigned char *turned = malloc(token->length), *next = turned;
  if (turned == NULL) abort();
  next = mempcpy(next, token->value + HEADER + CONFOUNDER, size);
  unsigned char *header = next;
  next = mempcpy(next, token->value, HEADER);
  next = mempcpy(next, token->value + token->length - tail, tail);
  memcpy(next, token->value + HEADER, CONFOUNDER);
  header[6] = tail >> 8;
  header[7] = tail & 0xff;
  memcpy(token->value, turned, token->length);
  free(turned);
  return status;
}

uint32_t gss_unwrap(uint32_t *minor, void *context, struct bytes *token, struct bytes *clear, int *state,
                    uint32_t *qop) {
  uint32_t (*unwrap)(uint32_t *, void *, struct bytes *, struct bytes *, int *, uint32_t *) = real("gss_unwrap");
  /* AES with SHA-1, AES-128 with SHA-2, AES-256 with SHA-2. */
  static const size_t signatures[] = {60, 64, 72};
  for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
    size_t size = signatures[i];
    if (token->length < size || !begins(token->value + token->length - size)) continue;
    unsigned char *turned = malloc(token->length);
    if (turned == NULL) abort();
    memcpy(turned, token->value + token->length - size, size);
    memcpy(turned + size, token->value, token->length - size);
    struct bytes whole = {token->length, turned};
    uint32_t status = unwrap(minor, context, &whole, clear, state, qop);
    free(turned);
    return status;
  }
  return unwrap(minor, context, token, clear, state, qop);
}

#define OTHERS(each) \
  each(gss_accept_sec_context) each(gss_acquire_cred) each(gss_delete_sec_context) each(gss_display_status) \
  each(gss_get_mic) each(gss_import_name) each(gss_init_sec_context) each(gss_inquire_context) \
  each(gss_release_buffer) each(gss_release_cred) each(gss_release_iov_buffer) each(gss_release_name) \
  each(gss_unwrap_iov) each(gss_verify_mic) each(gss_wrap_iov)

#define PASS_ON(name) \
  __attribute__((visibility("hidden"))) void *to_##name; \
  __asm__(".text\n.globl " #name "\n.type " #name ", @function\n" #name ": jmp *to_" #name "(%rip)\n");
OTHERS(PASS_ON)

__attribute__((constructor)) static void find(void) {
#define FIND(name) to_##name = real(#name);
  OTHERS(FIND)
}
