/*
 * Whose a control group is: the systemd unit or the container that it stands for.
 */
#ifndef TLSWITNESS_GROUP_NAMES_H
#define TLSWITNESS_GROUP_NAMES_H

/*
 * "/system.slice/postfix.service" -> unit "postfix.service";
 * "/system.slice/docker-3fa2....scope" -> container "docker 3fa2..." (12 digits).
 * "" for what it does not name.
 */
void group_names(const char *path, char unit[256], char container[256]);

#endif
