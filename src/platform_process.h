/* platform_process.h: tells a process from the children that it forks.
 *
 * Asking the system for the process id costs a call into the kernel each time,
 * and every call of the library would ask.
 */
#ifndef LLMG_PLATFORM_PROCESS_H
#define LLMG_PLATFORM_PROCESS_H

#include "visibility.h"
LLMG_HIDDEN_BEGIN

/* A number that stays as it is in this process and differs in every child that it forks. */
long platform_process_mark(void);

LLMG_HIDDEN_END
#endif
