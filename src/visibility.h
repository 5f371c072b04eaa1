/* visibility.h: keeps the core's names inside the module.
 *
 * A header wraps its declarations in LLMG_HIDDEN_BEGIN and LLMG_HIDDEN_END, so
 * that the shared object exports luaopen_llm_gateway_core and nothing else,
 * whatever flags it was built with.
 */
#ifndef LLMG_VISIBILITY_H
#define LLMG_VISIBILITY_H

#if defined(__GNUC__)
#define LLMG_HIDDEN_BEGIN _Pragma("GCC visibility push(hidden)")
#define LLMG_HIDDEN_END   _Pragma("GCC visibility pop")
#else
#define LLMG_HIDDEN_BEGIN
#define LLMG_HIDDEN_END
#endif

#endif
