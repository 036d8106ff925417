/*
 * Start-up time: loading the library, and until the first reply of a new client, in microseconds.
 *
 *   start ours|curl LIBRARY BASE_URL
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <atlas_postbooking.h>
#include <curl/curl.h>

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL) {
        fprintf(stderr, "no %s\n", name);
        exit(1);
    }
    return found;
}

static size_t ignore(char *data, size_t one, size_t count, void *into)
{
    (void)data;
    (void)into;
    return one * count;
}

/* POSIX guarantees that the result of dlsym() can hold a function pointer; ISO C does not. */
#define FUNCTION(type, variable, library, name)                                                                       \
    type variable;                                                                                                     \
    do {                                                                                                               \
        void *address = symbol(library, name);                                                                         \
        memcpy(&variable, &address, sizeof variable);                                                                  \
    } while (0)

typedef apb_status (*new_fn)(const char *, size_t, apb_client **, apb_reply **);
typedef apb_status (*call_fn)(const apb_client *, const char *, size_t, apb_reply **);
typedef CURL *(*init_fn)(void);
typedef CURLcode (*global_fn)(long);
typedef CURLcode (*set_fn)(CURL *, CURLoption, ...);
typedef CURLcode (*perform_fn)(CURL *);

static const char body[] = "{\"orderNo\":\"TESTA20260302160000123\"}";

static int ours(void *library, const char *url)
{
    FUNCTION(new_fn, client_new, library, "apb_client_new");
    FUNCTION(call_fn, call, library, "apb_query_refund_orders");
    char config[500];
    apb_client *client = NULL;
    apb_reply *reply = NULL;

    sprintf(config, "{\"baseUrl\":\"%.200s\",\"clientId\":\"a\",\"clientSecret\":\"b\"}", url);
    return client_new(config, APB_ZSTR, &client, NULL) == APB_OK && call(client, body, APB_ZSTR, &reply) == APB_OK;
}

static int theirs(void *library, const char *url)
{
    FUNCTION(global_fn, global_init, library, "curl_global_init");
    FUNCTION(init_fn, init, library, "curl_easy_init");
    FUNCTION(set_fn, set, library, "curl_easy_setopt");
    FUNCTION(perform_fn, perform, library, "curl_easy_perform");
    char address[300];
    CURL *easy;

    sprintf(address, "%.200s/queryRefundOrders.do", url);
    global_init(CURL_GLOBAL_ALL);
    easy = init();
    set(easy, CURLOPT_URL, address);
    set(easy, CURLOPT_POSTFIELDS, body);
    set(easy, CURLOPT_WRITEFUNCTION, ignore);
    set(easy, CURLOPT_PROXY, "");
    return perform(easy) == CURLE_OK;
}

int main(int argc, char **argv)
{
    const double start = now_us();
    void *library = argc == 4 ? dlopen(argv[2], RTLD_NOW) : NULL;
    const double loaded = now_us();
    int ok;

    if (library == NULL) {
        fprintf(stderr, "ours|curl LIBRARY BASE_URL: %s\n", argc == 4 ? dlerror() : "");
        return 1;
    }
    ok = strcmp(argv[1], "ours") == 0 ? ours(library, argv[3]) : theirs(library, argv[3]);
    printf("%.1f %.1f\n", loaded - start, now_us() - start);
    fflush(stdout);
    _Exit(ok ? 0 : 1);
}
