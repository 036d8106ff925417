/*
 * flight.h - shared by the programs that keep many calls in flight from one thread: the same read over and over.
 *
 *   program BASE_URL CALLS IN_FLIGHT
 *
 * Prints calls per second, CPU time of a call in µs, KiB of memory for each call in flight, and the most threads.
 */
#ifndef FLIGHT_H
#define FLIGHT_H

#define main sequential_main
#include "bench.h"
#undef main
#include "request.h"

#include <dirent.h>

static size_t calls;
static size_t in_flight;

static void prepare(const char *base_url);
/* Makes all calls; calls look() now and then. */
static void fly(void);

static long most_threads;

static long status_kb(const char *field)
{
    char line[200];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0) {
            kb = atol(line + strlen(field) + 1);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kb;
}

static void look(void)
{
    const long threads = status_kb("Threads");
    if (threads > most_threads) {
        most_threads = threads;
    }
}

static void check(const char *json, size_t len)
{
    yyjson_doc *doc = yyjson_read(json, len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *status = yyjson_obj_get(root, "status");
    if (!yyjson_is_int(status) || yyjson_get_int(status) != 0) {
        fail("status");
    }
    yyjson_doc_free(doc);
}

int main(int argc, char **argv)
{
    double begun, cpu;
    long before;

    if (argc != 4) {
        fail("BASE_URL CALLS IN_FLIGHT");
    }
    calls = (size_t)atol(argv[2]);
    in_flight = (size_t)atol(argv[3]);
    prepare(argv[1]);
    before = status_kb("VmHWM");
    begun = now_us();
    cpu = cpu_us();
    fly();
    printf("%.1f %.2f %.2f %ld\n", (double)calls / ((now_us() - begun) / 1e6), (cpu_us() - cpu) / (double)calls,
           (double)(status_kb("VmHWM") - before) / (double)in_flight, most_threads);
    (void)check;
    (void)sequential_main;
    (void)paths;
    return 0;
}

static void open_client(const char *base_url, enum mode mode) { (void)base_url, (void)mode; }
static void one_call(enum mode mode) { (void)mode; }

#endif
