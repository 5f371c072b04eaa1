/* lheaders.h: header lines of requests, for lclient.c. */
#ifndef LLMG_LHEADERS_H
#define LLMG_LHEADERS_H

#include "lcore.h"
LLMG_HIDDEN_BEGIN

/* header_lines(list): see lheaders.c */
int lheaders_new(lua_State *L);

/* Gives a transfer the lines at `i`: a list of texts, or what lheaders_new made of one. */
void lheaders_give(lua_State *L, int i, transfer *t);

void lheaders_open(lua_State *L);

LLMG_HIDDEN_END
#endif
