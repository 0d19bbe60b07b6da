// Tests the work of the plugin. How it gets on with a host is what `distributo plugin check` tests.
#include "@NAME@.c"

static int failures;

static int never(void* with) {
    (void)with;
    return 0;
}

static void expect(int holds, const char* what) {
    if (!holds) {
        ++failures;
        fprintf(stderr, "expected %s\n", what);
    }
}

static void refuses(const char* payload) {
    statistics found = {0, 0, 0};
    expect(read_payload(payload, &found, never, NULL) != NULL, payload);
}

int main(void) {
    statistics found = {0, 0, 0};
    expect(read_payload(" { \"numbers\" : [ 1, -2.5 , 4e1 ] } ", &found, never, NULL) == NULL,
           "a payload that is understood");
    expect(found.count == 3 && found.sum == 38.5 && found.largest == 40, "3, 38.5 and 40");

    refuses("");
    refuses("{}");
    refuses("{\"numbers\":[]}");
    refuses("{\"numbers\":[1,]}");
    refuses("{\"numbers\":[\"1\"]}");
    refuses("{\"numbers\":[0x10]}");
    refuses("{\"numbers\":[inf]}");
    refuses("{\"numbers\":[1.]}");
    refuses("{\"numbers\":[007]}");
    refuses("{\"numbers\":[1e999]}");
    refuses("{\"numbers\":[1],\"more\":2}");
    return failures != 0;
}
