#include "log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static struct {
	pthread_mutex_t lock;
	enum batfs_log_sink sink;
	int fd;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER, .sink = BATFS_LOG_STDERR };

void
batfs_log_to(enum batfs_log_sink sink, int fd)
{
	pthread_mutex_lock(&state.lock);
	state.sink = sink;
	state.fd = fd;
	/* Now already: from within the sandbox it could not be opened. */
	if (sink == BATFS_LOG_PIPE)
		openlog("batfs", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	pthread_mutex_unlock(&state.lock);
}

/* One write a line, so that lines of several programs do not mix. What cannot
 * be said is lost: there is nobody left to tell. */
static void
write_line(int fd, const char *text)
{
	char line[1200];
	int length = snprintf(line, sizeof line, "batfs: %s\n", text);

	if (length < 0)
		return;
	if ((size_t)length >= sizeof line) {
		length = (int)sizeof line - 1;
		line[length - 1] = '\n';
	}
	if (write(fd, line, (size_t)length) < 0)
		return;
}

void
batfs_log_list(const char *format, va_list arguments)
{
	char text[1100];
	size_t length;

	if (vsnprintf(text, sizeof text, format, arguments) < 0)
		return;
	length = strlen(text);
	while (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	pthread_mutex_lock(&state.lock);
	switch (state.sink) {
	case BATFS_LOG_STDERR:
		write_line(STDERR_FILENO, text);
		break;
	case BATFS_LOG_PIPE:
		write_line(state.fd, text);
		break;
	case BATFS_LOG_SYSLOG:
		syslog(LOG_ERR, "%s", text);
		break;
	}
	pthread_mutex_unlock(&state.lock);
}

void
batfs_log(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	batfs_log_list(format, arguments);
	va_end(arguments);
}
