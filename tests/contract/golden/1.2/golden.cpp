// The plugin of version 1.1, compiled with this version's headers.
#include "../1.1/golden.cpp"
