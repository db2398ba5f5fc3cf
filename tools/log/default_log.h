/*
 * Where the recorder writes if nobody says otherwise, for those who read.
 */
#ifndef TLSWITNESS_DEFAULT_LOG_H
#define TLSWITNESS_DEFAULT_LOG_H

/*
 * What to read where no log was named: $TLSWITNESS_LOG, else the places that
 * `tlswitness run` chooses (run.c): /var/log/tlswitness/ where that can be
 * written, else ${XDG_STATE_HOME:-~/.local/state}/tlswitness/. A file, a directory or
 * "unix:/path". NULL, with a complaint made, if there is none; free it with free.
 */
char *default_log(void);

#endif
