/*
 * sim.h - control calls to the simulator, its ledger and its request log, over a socket of its own: what
 * the tests compare the library with does not go through the library. For C and C++.
 */
#ifndef SIM_H
#define SIM_H

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "../../examples/c/json_text.h"

/* Sends one request; the body of the answer, to be freed with free(), "" if none came. */
static char *sim(const char *base_url, const char *method, const char *path, const char *body)
{
    char host[256] = "";
    char port[16] = "";
    struct addrinfo hints;
    struct addrinfo *found = NULL;
    size_t room = 1 << 16;
    size_t len = 0;
    char *text = (char *)calloc(1, room + strlen(body) + 1024);
    char *start;
    int connection;
    ssize_t got;

    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (sscanf(base_url, "http://%255[^:/]:%15[0-9]", host, port) != 2 || getaddrinfo(host, port, &hints, &found) != 0) {
        return text;
    }
    connection = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (connect(connection, found->ai_addr, found->ai_addrlen) == 0) {
        sprintf(text,
                "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
                "Content-Length: %lu\r\n\r\n%s",
                method, path, host, (unsigned long)strlen(body), body);
        if (send(connection, text, strlen(text), 0) > 0) {
            while ((got = recv(connection, text + len, room - len - 1, 0)) > 0) {
                len += (size_t)got;
                if (room - len < 2) {
                    room *= 2;
                    text = (char *)realloc(text, room);
                }
            }
        }
    }
    text[len] = '\0';
    close(connection);
    freeaddrinfo(found);
    start = strstr(text, "\r\n\r\n");
    if (start != NULL) {
        memmove(text, start + 4, strlen(start + 4) + 1);
    } else {
        text[0] = '\0';
    }
    return text;
}

/* A control call whose answer is not needed. */
static void sim_post(const char *base_url, const char *path, const char *body)
{
    free(sim(base_url, "POST", path, body));
}

/* Creates an order and stores its number. */
static void sim_order(const char *base_url, const char *fields, char *order_no, size_t size)
{
    char *answer = sim(base_url, "POST", "/_sim/orders", fields);
    json_text(answer, "orderNo", order_no, size);
    free(answer);
}

/* Removes the value of meta.elapsedMs, the only part in which the replies of two equal calls may differ. */
static void sim_without_time(char *json)
{
    char *at = strstr(json, "\"elapsedMs\":");
    if (at != NULL) {
        char *end = at + strlen("\"elapsedMs\":");
        at = end;
        end += strspn(end, "0123456789");
        memmove(at, end, strlen(end) + 1);
    }
}

#endif
