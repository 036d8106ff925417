/* yyjson on a file: `decode FILE TIMES` prints the median time of parsing it, in microseconds. */
#define main unused_main
#include "bench.h"
#undef main
#include "yyjson.h"

static void open_client(const char *base_url, enum mode mode)
{
    (void)base_url;
    (void)mode;
}

static void one_call(enum mode mode)
{
    (void)mode;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    const size_t rounds = 21;
    double times[21];
    char *text = NULL;
    size_t len = 0;
    size_t i;

    (void)unused_main;
    (void)cpu_us;
    (void)paths;
    if (file == NULL) {
        fail("FILE TIMES");
    }
    fseek(file, 0, SEEK_END);
    len = (size_t)ftell(file);
    rewind(file);
    text = (char *)malloc(len + 1);
    if (text == NULL || fread(text, 1, len, file) != len) {
        fail("fread");
    }
    for (i = 0; i < rounds; i++) {
        const long each = atol(argv[2]);
        const double start = now_us();
        long n;
        for (n = 0; n < each; n++) {
            yyjson_doc *doc = yyjson_read(text, len, 0);
            if (doc == NULL) {
                fail("yyjson_read");
            }
            yyjson_doc_free(doc);
        }
        times[i] = (now_us() - start) / (double)each;
    }
    qsort(times, rounds, sizeof *times, ascending);
    printf("%.3f\n", times[rounds / 2]);
    return 0;
}
