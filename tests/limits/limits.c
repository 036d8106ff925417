/*
 * limits.c - one flow of calls in a process that has no threads or descriptors left from a point on: the outcome
 * does not contradict the simulator's ledger, the status says what is missing, and with the limit gone all works again.
 *
 *   limits BASE_URL CONTROL_URL LIMIT FLOW FROM N
 *
 * LIMIT: threads (pthread_create fails after N), descriptors (N are left), memory (N times 300 KiB more). FLOW: direct,
 * case, queue. FROM: the step before which the limit begins. Prints the replies.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "flow.h"

static volatile int threads_left = -1;

typedef int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* Takes the place of the C library's. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    union {
        void *object;
        create function;
    } real;
    int left = threads_left;
    if (left == 0) {
        return EAGAIN;
    }
    if (left > 0) {
        threads_left = left - 1;
    }
    real.object = dlsym(RTLD_NEXT, "pthread_create");
    return real.function(thread, attributes, start, argument);
}

static const char *control;
static const char *limit;
static int allowed;
/* The store had no memory to note that nothing was sent: nobody can tell before the settle time has passed. */
static int is_open;
static struct rlimit before;
static struct rlimit memory_before;

/* The lowest number that no descriptor above it has. */
static int first_free(void)
{
    int highest = 2;
    int fd;
    for (fd = 0; fd < 1024; fd++) {
        if (fcntl(fd, F_GETFD) != -1) {
            highest = fd;
        }
    }
    return highest + 1;
}

/* How much address space the process has, in bytes. */
static rlim_t address_space(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu", &pages) != 1) {
        exit(2);
    }
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void begin(void)
{
    if (strcmp(limit, "threads") == 0) {
        threads_left = allowed;
    } else if (strcmp(limit, "memory") == 0) {
        struct rlimit few = memory_before;
        few.rlim_cur = address_space() + (rlim_t)allowed * 300 * 1024;
        setrlimit(RLIMIT_AS, &few);
    } else {
        struct rlimit few = before;
        int fd = first_free();
        few.rlim_cur = (rlim_t)(fd + allowed);
        /* Holes below are filled, so that exactly so many are left. */
        while (fd > 0) {
            int hole = dup(0);
            if (hole >= fd) {
                close(hole);
                break;
            }
            if (hole < 0) {
                break;
            }
        }
        setrlimit(RLIMIT_NOFILE, &few);
    }
}

static void end(void)
{
    threads_left = -1;
    setrlimit(RLIMIT_NOFILE, &before);
    setrlimit(RLIMIT_AS, &memory_before);
}

static int rows(const char *page, const char *list, const char *order_no)
{
    char *text = sim(control, "GET", page, "");
    int count = 0;
    int i;
    for (i = 0;; i++) {
        char path[64];
        char value[64];
        const char *row;
        char *copy;
        size_t len;
        sprintf(path, "%s.%d", list, i);
        row = json_find(text, path, &len);
        if (row == NULL) {
            break;
        }
        copy = (char *)calloc(1, len + 1);
        memcpy(copy, row, len);
        count += strcmp(json_text(copy, "endpoint", value, sizeof value), "void") == 0 && strstr(copy, order_no) != NULL;
        free(copy);
    }
    free(text);
    return count;
}

static void tell(const char *step, const apb_reply *reply)
{
    if (reply != NULL) {
        printf("%s %d %d %s\n", step, apb_reply_status(reply), apb_reply_outcome(reply), apb_reply_json(reply, NULL));
    }
}

static int is_documented(apb_status status)
{
    return status == APB_OK || status == (strcmp(limit, "descriptors") == 0 ? APB_E_IO : APB_E_MEMORY);
}

static apb_reply *run(const char *step, const apb_client *client, const char *operation, const char *request)
{
    apb_reply *reply = NULL;
    apb_call(client, operation, request, APB_ZSTR, NULL, 0, NULL, &reply);
    CHECK_MSG(reply != NULL && (is_documented(apb_reply_status(reply)) || (is_open && apb_reply_outcome(reply) == APB_UNKNOWN)), step);
    tell(step, reply);
    return reply;
}

/* The same by a queue; NULL if there is no queue. */
static apb_reply *run_queued(const char *step, const apb_client *client, const char *operation, const char *request)
{
    apb_queue *queue = NULL;
    apb_reply *reply = NULL;
    uint64_t tag = 0;
    apb_status status = apb_queue_new(&queue);
    CHECK_MSG(is_documented(status), step);
    printf("%s queue %d\n", step, status);
    if (status != APB_OK) {
        return NULL;
    }
    status = apb_start(client, operation, request, APB_ZSTR, NULL, 0, queue, 7, NULL);
    CHECK_MSG(is_documented(status), step);
    printf("%s start %d\n", step, status);
    if (status == APB_OK) {
        CHECK_MSG(apb_queue_next(queue, 20000, &tag, &reply) == APB_OK && reply != NULL && tag == 7, step);
        CHECK_MSG(reply != NULL && is_documented(apb_reply_status(reply)), step);
        tell(step, reply);
    }
    apb_queue_free(queue);
    return reply;
}

static void check_outcome(const char *step, apb_reply *reply, const char *order_no)
{
    int sent = rows("/_sim/requests", "requests", order_no);
    int executed = rows("/_sim/ledger", "entries", order_no);
    apb_outcome outcome = reply == NULL ? APB_NOT_EXECUTED : apb_reply_outcome(reply);
    CHECK_MSG(sent <= 1, step);
    CHECK_MSG(outcome != APB_EXECUTED || executed == 1, step);
    CHECK_MSG(outcome != APB_NOT_EXECUTED || sent == 0, step);
    CHECK_MSG(outcome != APB_PENDING || sent == 0, step);
    /* The answer of a submit that left is told. */
    CHECK_MSG(sent == 0 || outcome == APB_EXECUTED, step);
    /* Of a case that the store cannot read, nobody knows what earlier calls did. */
    CHECK_MSG(outcome != APB_UNKNOWN || sent == 1 || strstr(apb_reply_message(reply), "store") != NULL, step);
    apb_reply_free(reply);
}

int main(int argc, char **argv)
{
    char config[1024];
    char store[64] = "";
    char order_no[128];
    char query[256];
    char submit[512];
    char offer[128] = "";
    char directory[] = "/tmp/apb-limits-XXXXXX";
    const char *flow = argc == 7 ? argv[4] : "";
    int from = argc == 7 ? atoi(argv[5]) : 0;
    int is_case = strcmp(flow, "case") == 0;
    int is_queued = strcmp(flow, "queue") == 0;
    const char *operation = is_case ? "case.open" : "void";
    int round;
    int done;
    apb_client *client = NULL;
    apb_reply *reply = NULL;
    apb_status status;
    if (argc != 7 || mkdtemp(directory) == NULL) {
        return 2;
    }
    control = argv[2];
    limit = argv[3];
    allowed = atoi(argv[6]);
    getrlimit(RLIMIT_NOFILE, &before);
    getrlimit(RLIMIT_AS, &memory_before);
    if (is_case) {
        sprintf(store, ",\"store\":{\"path\":\"%s/cases.db\"}", directory);
    }
    sprintf(config, "{\"baseUrl\":\"%.300s\",\"clientId\":\"me\",\"clientSecret\":\"s3cr3t\"%s}", argv[1], store);
    sim_post(control, "/_sim/reset", "{}");
    sim_order(control, "{\"airline\":\"F9\"}", order_no, sizeof order_no);
    sprintf(query, "{\"orderNo\":\"%s\"}", order_no);
    sprintf(submit, "{\"kind\":\"void\",\"orderNo\":\"%s\",\"key\":\"%s\"}", order_no, order_no);
    for (round = 0; round < 2; round++) {
        const char *const client_step = round == 0 ? "client" : "client again";
        const char *const read_step = round == 0 ? "read" : "read again";
        const char *const submit_step = round == 0 ? "submit" : "submit again";
        if (round == 0 && from == 0) {
            begin();
        }
        done = round == 1 && is_case && rows("/_sim/ledger", "entries", order_no) == 1;
        status = client != NULL ? APB_OK : apb_client_new(config, APB_ZSTR, &client, &reply);
        CHECK_MSG(is_documented(status), client_step);
        tell(client_step, reply);
        apb_reply_free(reply);
        reply = NULL;
        if (round == 0 && from == 1) {
            begin();
        }
        if (client != NULL && !done) {
            reply = run(read_step, client, "voidQuotation", query);
            if (apb_reply_status(reply) == APB_OK) {
                json_text(apb_reply_json(reply, NULL), "data.voidOfferId", offer, sizeof offer);
            }
            apb_reply_free(reply);
        }
        if (round == 0 && from == 2) {
            begin();
        }
        if (client != NULL) {
            if (!is_case) {
                sprintf(submit, "{\"orderNo\":\"%s\",\"voidOfferId\":\"%s\"}", order_no, *offer == '\0' ? "none" : offer);
            }
            reply = is_queued ? run_queued(submit_step, client, operation, submit) : run(submit_step, client, operation, submit);
            if (*offer != '\0' || is_case) {
                int was_executed = reply != NULL && apb_reply_outcome(reply) == APB_EXECUTED;
                int was_done = round == 1 && !is_case && rows("/_sim/ledger", "entries", order_no) == 1;
                end();
                is_open = is_open || (is_case && strcmp(limit, "memory") == 0 && reply != NULL && apb_reply_outcome(reply) == APB_UNKNOWN);
                check_outcome(submit_step, reply, order_no);
                CHECK_MSG(round == 0 || was_executed || was_done || is_open, "working again");
                if (was_executed && !is_case) {
                    break;
                }
            } else {
                apb_reply_free(reply);
            }
            reply = NULL;
        }
        if (is_case && client != NULL && round == 0 && from == 3) {
            char named[256];
            sprintf(named, "{\"key\":\"%s\",\"until\":\"step\"}", order_no);
            begin();
            reply = run("follow", client, "case.follow", named);
            end();
            /* What the store cannot read, it does not know. */
            CHECK_MSG(apb_reply_outcome(reply) == APB_EXECUTED || apb_reply_outcome(reply) == APB_UNKNOWN, "follow");
            apb_reply_free(reply);
            reply = NULL;
        }
        if (is_case && client != NULL && round == 1) {
            sprintf(query, "{\"key\":\"%s\",\"until\":\"step\"}", order_no);
            reply = run("follow again", client, "case.follow", query);
            CHECK_MSG(apb_reply_outcome(reply) == APB_EXECUTED || is_open, "follow");
            apb_reply_free(reply);
            reply = NULL;
        }
        end();
    }
    apb_client_free(client);
    CHECK(apb_live_handles() == 0);
    return check_end();
}
