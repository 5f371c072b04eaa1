/* socket.c: the table of socket.h. */
#include "socket.h"

#include <errno.h>

#include "mem.h"

struct open_socket {
  curl_socket_t fd;
  int local_port; /* 0: nobody has asked for it yet */
  open_socket *next_by_descriptor, *next_by_port;
  list users;
  uint32_t first_refused; /* see socket_first_refused */
  bool has_http1;         /* see socket_note_http1 */
};

static open_socket **bucket(open_socket **table, size_t key) {
  return &table[key & (SOCKET_BUCKETS - 1)];
}

/* ---- opening and closing ---- */

static void add(sockets *s, open_socket *new, curl_socket_t fd) {
  open_socket **first = bucket(s->by_descriptor, (size_t)fd);
  new->fd = fd;
  list_init(&new->users);
  new->next_by_descriptor = *first;
  *first = new;
  new->next_by_port = s->unnamed;
  s->unnamed = new;
  s->count++;
}

curl_socket_t sockets_open(sockets *s, const struct curl_sockaddr *address) {
  open_socket *new = mem_zeroed(sizeof *new);
  curl_socket_t fd = new == NULL ? CURL_SOCKET_BAD : socket_open(address);
  s->open_errno = fd == CURL_SOCKET_BAD ? errno : 0;
  if (fd == CURL_SOCKET_BAD)
    mem_free(new);
  else
    add(s, new, fd);
  return fd;
}

static void drop_users(open_socket *socket) {
  while (!list_empty(&socket->users)) {
    socket_user *u = LIST_OWNER(socket->users.next, socket_user, node);
    u->brought = socket_has_brought(u);
    u->refused = socket->first_refused;
    socket_let_go(u);
  }
}

static open_socket *take_by_descriptor(sockets *s, curl_socket_t fd) {
  open_socket **at = bucket(s->by_descriptor, (size_t)fd);
  while (*at != NULL && (*at)->fd != fd) at = &(*at)->next_by_descriptor;
  open_socket *found = *at;
  if (found != NULL) *at = found->next_by_descriptor;
  return found;
}

static void take_by_port(sockets *s, const open_socket *socket) {
  size_t port = (size_t)socket->local_port;
  open_socket **at = port == 0 ? &s->unnamed : bucket(s->by_port, port);
  while (*at != socket) at = &(*at)->next_by_port;
  *at = socket->next_by_port;
}

static void forget(sockets *s, curl_socket_t fd) {
  open_socket *old = take_by_descriptor(s, fd);
  if (old == NULL) return;
  take_by_port(s, old);
  drop_users(old);
  mem_free(old);
  s->count--;
}

int sockets_close(sockets *s, curl_socket_t fd) {
  forget(s, fd);
  return socket_close(fd);
}

static void end_all(sockets *s, bool close) {
  for (size_t i = 0; i < SOCKET_BUCKETS; i++) {
    while (s->by_descriptor[i] != NULL) {
      curl_socket_t fd = s->by_descriptor[i]->fd;
      forget(s, fd);
      if (close) socket_close(fd);
    }
  }
}

void sockets_close_all(sockets *s) {
  end_all(s, true);
}

void sockets_clear(sockets *s) {
  end_all(s, false);
}

/* ---- finding ---- */

/* A local port is known once the socket connects, and stays. */
static void name_new_ones(sockets *s) {
  for (open_socket **at = &s->unnamed; *at != NULL;) {
    open_socket *named = *at;
    named->local_port = socket_local_port(named->fd);
    if (named->local_port == 0) {
      at = &named->next_by_port;
      continue;
    }
    *at = named->next_by_port;
    open_socket **first = bucket(s->by_port, (size_t)named->local_port);
    named->next_by_port = *first;
    *first = named;
  }
}

static open_socket *first_of_port(open_socket *at, int port) {
  while (at != NULL && at->local_port != port) at = at->next_by_port;
  return at;
}

/* The system may give one local port to two connections whose servers differ: of several both ends
 * count. */
open_socket *sockets_find(sockets *s, const socket_ends *ends) {
  int port = ends->local_port;
  name_new_ones(s);
  open_socket *at = first_of_port(*bucket(s->by_port, (size_t)port), port);
  if (at == NULL || first_of_port(at->next_by_port, port) == NULL) return at;
  while (at != NULL && !socket_joins(at->fd, ends)) at = first_of_port(at->next_by_port, port);
  return at;
}

curl_socket_t socket_descriptor(const open_socket *socket) {
  return socket == NULL ? CURL_SOCKET_BAD : socket->fd;
}

/* ---- users ---- */

void socket_note_http1(const socket_user *u) {
  if (u->socket != NULL) u->socket->has_http1 = true;
}

bool socket_has_http1(const open_socket *socket) {
  return socket->has_http1;
}

void socket_hold(socket_user *u, open_socket *socket, bool counts) {
  socket_let_go(u);
  u->socket = socket;
  u->brought = false;
  u->refused = 0;
  u->received = socket != NULL && counts ? socket_received(socket->fd) : -1;
  if (socket != NULL) list_append(&socket->users, &u->node);
}

void socket_let_go(socket_user *u) {
  list_remove(&u->node);
  u->socket = NULL;
}

/* An end counts as one byte. */
bool socket_has_brought(const socket_user *u) {
  if (u->socket == NULL || u->received < 0) return u->brought;
  return socket_received(u->socket->fd) > u->received + 1;
}

/* A server may say it more than once, of more streams each time. */
void socket_refuse_streams(socket_user *u, uint32_t first) {
  open_socket *socket = u->socket;
  if (socket == NULL) return;
  if (socket->first_refused == 0 || first < socket->first_refused) socket->first_refused = first;
}

uint32_t socket_first_refused(const socket_user *u) {
  return u->socket == NULL ? u->refused : u->socket->first_refused;
}
