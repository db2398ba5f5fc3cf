<?php
spl_autoload_register(function ($class) {
    require __DIR__ . '/acme/mailer/src/' . basename(str_replace('\\', '/', $class)) . '.php';
});
