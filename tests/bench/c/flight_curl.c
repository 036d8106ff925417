/* The same with libcurl's multi interface and yyjson; a handle is used again when its call has ended. */
#include "flight.h"
#include <curl/curl.h>

static CURLM *multi;
static char url[300];
static struct curl_slist *headers;

struct call {
    CURL *easy;
    char *body;
    char *data;
    size_t len;
    size_t room;
};

static size_t receive(char *data, size_t one, size_t count, void *into)
{
    struct call *call = (struct call *)into;
    const size_t size = one * count;
    if (call->len + size + 1 > call->room) {
        char *grown;
        call->room = (call->len + size + 1) * 2;
        grown = (char *)realloc(call->data, call->room);
        if (grown == NULL) {
            return 0;
        }
        call->data = grown;
    }
    memcpy(call->data + call->len, data, size);
    call->len += size;
    return size;
}

static void prepare(const char *base_url)
{
    curl_global_init(CURL_GLOBAL_ALL);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)in_flight);
    sprintf(url, "%.200s%s", base_url, paths[QUOTE]);
    headers = curl_slist_append(headers, "accept: application/json");
    headers = curl_slist_append(headers, "content-type: application/json");
    headers = curl_slist_append(headers, "user-agent: bench/1");
    headers = curl_slist_append(headers, "x-atlas-client-id: " CLIENT_ID);
    headers = curl_slist_append(headers, "x-atlas-client-secret: " CLIENT_SECRET);
}

static void start(struct call *call)
{
    size_t len = 0;

    call->body = build_request(QUOTE, &len);
    call->len = 0;
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE, (long)len);
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body);
    curl_multi_add_handle(multi, call->easy);
}

static struct call *make(void)
{
    struct call *call = (struct call *)calloc(1, sizeof *call);
    CURL *easy = curl_easy_init();
    call->easy = easy;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 60000L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return call;
}

static void fly(void)
{
    size_t started = 0;
    size_t done = 0;
    int running = 0;

    while (started < calls && started < in_flight) {
        start(make());
        started++;
    }
    while (done < calls) {
        CURLMsg *message;
        int left = 0;
        curl_multi_perform(multi, &running);
        while ((message = curl_multi_info_read(multi, &left)) != NULL) {
            struct call *call = NULL;
            if (message->msg != CURLMSG_DONE || message->data.result != CURLE_OK) {
                fail("curl");
            }
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
            curl_multi_remove_handle(multi, call->easy);
            check(call->data, call->len);
            free(call->body);
            if (done++ % 1000 == 0) {
                look();
            }
            if (started < calls) {
                start(call);
                started++;
            }
        }
        if (done < calls) {
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
        }
    }
}
