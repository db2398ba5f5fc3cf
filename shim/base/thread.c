#include "shim/base/thread.h"

__thread struct thread_state thread_state;
