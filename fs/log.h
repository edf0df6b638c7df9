/*
 * What the program has to say while it runs: one line each, to whoever can
 * read it. In the foreground that is stderr; while a daemon starts, the parent
 * process (through a pipe); after that, syslog.
 *
 * Threads: any; locks inside.
 */
#ifndef BATFS_LOG_H
#define BATFS_LOG_H

#include <stdarg.h>

enum batfs_log_sink { BATFS_LOG_STDERR, BATFS_LOG_PIPE, BATFS_LOG_SYSLOG };

/* From now on; fd is for BATFS_LOG_PIPE and stays the caller's. */
void batfs_log_to(enum batfs_log_sink sink, int fd);
/* "batfs: " and a newline are added. */
void batfs_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
void batfs_log_list(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));

#endif
