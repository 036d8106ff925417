/*
 * loading.c - loads the library with dlopen(), uses it and closes it, many times, as a plugin does. Closing
 * leaves it in place, because its thread runs in it.
 *
 *   loading LIBRARY BASE_URL
 */
#include <dlfcn.h>
#include <stdint.h>

#include "atlas_postbooking.h"
#include "check.h"

/* Finds a function. It is copied, because ISO C does not convert void * to a function pointer. */
static void find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    CHECK_MSG(found != NULL, name);
    memcpy(function, &found, sizeof found);
}

int main(int argc, char **argv)
{
    char config[512];
    int i;
    if (argc < 3) {
        return 2;
    }
    sprintf(config, "{\"baseUrl\":\"%.300s\",\"clientId\":\"me\",\"clientSecret\":\"s\"}", argv[2]);
    for (i = 0; i < 100; i++) {
        apb_status (*client_new)(const char *, size_t, apb_client **, apb_reply **);
        apb_status (*balance)(const apb_client *, const char *, size_t, apb_reply **);
        void (*client_free)(apb_client *);
        void (*reply_free)(apb_reply *);
        uint64_t (*live)(void);
        apb_client *client = NULL;
        apb_reply *reply = NULL;
        void *library = dlopen(argv[1], i % 2 == 0 ? RTLD_NOW | RTLD_LOCAL : RTLD_LAZY | RTLD_GLOBAL);
        if (!CHECK_MSG(library != NULL, "dlopen")) {
            break;
        }
        find(library, "apb_client_new", &client_new);
        find(library, "apb_client_free", &client_free);
        find(library, "apb_reply_free", &reply_free);
        find(library, "apb_balance", &balance);
        find(library, "apb_live_handles", &live);
        CHECK(client_new(config, APB_ZSTR, &client, NULL) == APB_OK);
        CHECK(balance(client, "{}", APB_ZSTR, &reply) == APB_OK);
        reply_free(reply);
        client_free(client);
        CHECK(live() == 0);
        CHECK(dlclose(library) == 0);
    }
    return check_end();
}
