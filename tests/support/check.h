/*
 * check.h - counts what held and what did not; for C and C++. The last line of a program is
 * "N passed, N failed, N skipped", which tests/run.py adds up.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

static int check_passed;
static int check_failed;

static int check_that(int held, const char *what, const char *file, int line)
{
    if (held) {
        check_passed++;
    } else {
        check_failed++;
        printf("FAILED %s:%d: %s\n", file, line, what);
    }
    return held;
}

#define CHECK(what) check_that((what) ? 1 : 0, #what, __FILE__, __LINE__)
/* With words of one's own, for checks in a loop. */
#define CHECK_AS(what, words) check_that((what) ? 1 : 0, words, __FILE__, __LINE__)

static int check_end(void)
{
    printf("%d passed, %d failed, 0 skipped\n", check_passed, check_failed);
    return check_failed == 0 ? 0 : 1;
}

#endif
