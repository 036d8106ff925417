/*
 * check.h - counts checks that passed and failed; for C and C++. The last line of a program is
 * "N passed, N failed, N skipped", which tests/run.py adds up.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

static int check_passed;
static int check_failed;

static int check_that(int is_true, const char *message, const char *file, int line)
{
    if (is_true) {
        check_passed++;
    } else {
        check_failed++;
        printf("FAILED %s:%d: %s\n", file, line, message);
    }
    return is_true;
}

#define CHECK(condition) check_that((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
/* With a message of its own, for checks in a loop. */
#define CHECK_MSG(condition, message) check_that((condition) ? 1 : 0, message, __FILE__, __LINE__)

static int check_end(void)
{
    printf("%d passed, %d failed, 0 skipped\n", check_passed, check_failed);
    return check_failed == 0 ? 0 : 1;
}

#endif
