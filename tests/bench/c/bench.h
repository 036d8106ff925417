/*
 * bench.h - shared by the client programs: arguments, time measurement, one line of results.
 *
 *   program BASE_URL CALLS quote|submit|list
 *
 * A program defines open_client() and one_call(). If a call fails, the program exits.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define ORDER "TESTA20260302160000123"
#define CLIENT_ID "bench-client"
#define CLIENT_SECRET "bench-secret"
#define OFFER "q_0123456789abcdef0123456789abcdef"

enum mode { QUOTE, SUBMIT, LIST };

static const char *const paths[] = { "/refundQuotation.do", "/refund.do", "/orderList.do" };

static void open_client(const char *base_url, enum mode mode);
static void one_call(enum mode mode);

static void fail(const char *what)
{
    fprintf(stderr, "failed: %s\n", what);
    exit(1);
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    enum mode mode = QUOTE;
    size_t calls;
    size_t i;
    double *times;
    double cpu;

    if (argc != 4) {
        fail("BASE_URL CALLS quote|submit|list");
    }
    calls = (size_t)atol(argv[2]);
    mode = strcmp(argv[3], "submit") == 0 ? SUBMIT : strcmp(argv[3], "list") == 0 ? LIST : QUOTE;
    times = (double *)calloc(calls + 1, sizeof *times);
    open_client(argv[1], mode);
    one_call(mode);
    cpu = cpu_us();
    for (i = 0; i < calls; i++) {
        const double start = now_us();
        one_call(mode);
        times[i] = now_us() - start;
    }
    cpu = cpu_us() - cpu;
    qsort(times, calls, sizeof *times, ascending);
    printf("%.2f %.2f %.2f\n", times[calls / 2], times[calls * 99 / 100], cpu / (double)(calls > 0 ? calls : 1));
    free(times);
    return 0;
}

#endif
