/* list.h: doubly linked lists whose nodes live inside what they link.
 *
 * A list is a node too: its head. A node of zero bytes, or one that was
 * removed, is in no list. Nothing here allocates.
 */
#ifndef LLMG_LIST_H
#define LLMG_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct list {
  struct list *next, *previous;
} list;

/* The struct of type `type` whose member `member` is `node`. */
#define LIST_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(list *head) {
  head->next = head->previous = head;
}

static inline bool list_linked(const list *node) {
  return node->next != NULL;
}

static inline bool list_empty(const list *head) {
  return head->next == NULL || head->next == head;
}

static inline void list_append(list *head, list *node) {
  node->next = head;
  node->previous = head->previous;
  head->previous->next = node;
  head->previous = node;
}

/* Takes a node out of its list; does nothing to one that is in none. */
static inline void list_remove(list *node) {
  if (!list_linked(node)) return;
  node->previous->next = node->next;
  node->next->previous = node->previous;
  node->next = node->previous = NULL;
}

#endif
