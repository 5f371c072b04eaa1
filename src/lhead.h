/* lhead.h: what lhead.c has for the other files of the binding. */
#ifndef LLMG_LHEAD_H
#define LLMG_LHEAD_H

#include "lcore.h"
LLMG_HIDDEN_BEGIN

/* header_fields(head), timings(times): see lhead.c */
int lhead_fields(lua_State *L);
int lhead_timings(lua_State *L);

/* Pushes the text that timings() takes. */
void lhead_push_times(lua_State *L, const transfer_timings *timings);

LLMG_HIDDEN_END
#endif
