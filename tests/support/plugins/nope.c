// A library that is there at link time only.
int not_there(void);
__attribute__((visibility("default"))) int not_there(void) {
    return 0;
}
