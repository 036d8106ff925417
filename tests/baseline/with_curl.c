/*
 * with_curl.c - a baseline client with libcurl: one easy handle, reused for all requests.
 *
 *   with_curl BASE_URL void|regenerateOrder TIMEOUT_MS TRIES
 *
 * Order numbers come on standard input. For each it prints a line `ORDER BY_STATUS BY_HTTP`: `done` or
 * `failed`, as decided by the body's status and by the HTTP status. TRIES 1 is libcurl without a loop; it
 * still repeats a request itself if a reused connection ends before the first byte of the reply.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static CURL *easy;
static const char *base;
static int most_tries;
static char answer[1 << 20];
static size_t answer_len;
static long http;

static size_t receive(char *data, size_t one, size_t count, void *into)
{
    const size_t size = one * count;

    (void)into;
    if (answer_len + size >= sizeof answer) {
        return 0;
    }
    memcpy(answer + answer_len, data, size);
    answer_len += size;
    answer[answer_len] = '\0';
    return size;
}

/* Whether one of the attempts got HTTP status 200. */
static int post(const char *path, const char *body)
{
    char url[300];
    int tries;

    sprintf(url, "%.200s/%.60s.do", base, path);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    for (tries = 0; tries < most_tries; tries++) {
        const struct timespec pause = { 0, tries > 0 ? 20 * 1000 * 1000 : 0 };
        CURLcode code;
        nanosleep(&pause, NULL);
        answer_len = 0;
        answer[0] = '\0';
        http = 0;
        code = curl_easy_perform(easy);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &http);
        if (code == CURLE_OK && http == 200) {
            return 1;
        }
    }
    return 0;
}

static int submit(const char *scenario, const char *order)
{
    static const char name[] = "\"voidOfferId\":\"";
    char body[300];
    const char *offer;

    if (strcmp(scenario, "void") != 0) {
        sprintf(body, "{\"originalOrderNo\":\"%.60s\"}", order);
        return post(scenario, body);
    }
    sprintf(body, "{\"orderNo\":\"%.60s\"}", order);
    if (!post("voidQuotation", body) || (offer = strstr(answer, name)) == NULL) {
        answer[0] = '\0';
        return 0;
    }
    offer += sizeof name - 1;
    sprintf(body, "{\"orderNo\":\"%.60s\",\"voidOfferId\":\"%.*s\"}", order, (int)strcspn(offer, "\"") % 100, offer);
    return post("void", body);
}

int main(int argc, char **argv)
{
    struct curl_slist *headers = NULL;
    char order[100];

    if (argc != 5) {
        fprintf(stderr, "BASE_URL void|regenerateOrder TIMEOUT_MS TRIES\n");
        return 1;
    }
    base = argv[1];
    most_tries = atoi(argv[4]);
    curl_global_init(CURL_GLOBAL_ALL);
    easy = curl_easy_init();
    headers = curl_slist_append(headers, "content-type: application/json");
    headers = curl_slist_append(headers, "x-atlas-client-id: baseline");
    headers = curl_slist_append(headers, "x-atlas-client-secret: secret");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, atol(argv[3]));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    while (scanf("%99s", order) == 1) {
        const int by_http = submit(argv[2], order);
        /* Like a JSON parser: a truncated text is an error. */
        const int whole = answer_len > 0 && answer[answer_len - 1] == '}';
        const int by_status = by_http && whole && strstr(answer, "\"status\":0") != NULL;
        printf("%s %s %s\n", order, by_status ? "done" : "failed", by_http ? "done" : "failed");
        fflush(stdout);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    return 0;
}
