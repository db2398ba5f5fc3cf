<?php
function notify()
{
    return mail('b@example.com', 'Hello', "Some words"); // HERE notify
}

exit(notify() ? 0 : 1);
