/*
 * simulated_clock.h - moves the clock of the simulator, so that an example does not take the 21 days of a
 * refund. It is not part of the API: a real program waits, by its scheduler, until the next query.
 */
#ifndef SIMULATED_CLOCK_H
#define SIMULATED_CLOCK_H

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

/* Moves the clock forward; 0 if it was moved. `base_url` is http://HOST:PORT. */
static int advance_clock(const char *base_url, long minutes)
{
    char host[256] = "";
    char port[16] = "";
    char text[512];
    char answer[64] = "";
    struct addrinfo hints;
    struct addrinfo *found = NULL;
    int connection = -1;
    int done = 0;
    int length;

    if (sscanf(base_url, "http://%255[^:/]:%15[0-9]", host, port) != 2) {
        return -1;
    }
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return -1;
    }
    connection = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (connection >= 0 && connect(connection, found->ai_addr, found->ai_addrlen) == 0) {
        char body[64];
        sprintf(body, "{\"advance\":\"%ldm\"}", minutes);
        length = sprintf(text,
                         "POST /_sim/clock HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
                         "Content-Type: application/json\r\nContent-Length: %lu\r\n\r\n%s",
                         host, (unsigned long)strlen(body), body);
        done = send(connection, text, (size_t)length, 0) == length &&
               recv(connection, answer, sizeof answer - 1, 0) > 0 &&
               strstr(answer, " 200") != NULL;
    }
    if (connection >= 0) {
        close(connection);
    }
    freeaddrinfo(found);
    return done ? 0 : -1;
}

#endif
