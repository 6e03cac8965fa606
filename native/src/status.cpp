#include "atrous.h"

const char* atrous_last_error(void) { return ""; }
