package example;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Map;

/** Registers whom each line of its input names, for as long as there are any. */
public final class Register {
    public static void main(String[] arguments) throws Exception {
        var servers = System.getenv("KAFKA_BOOTSTRAP_SERVERS");
        var trust = System.getenv("AUTHBUS_TRUST");
        var lines = new BufferedReader(new InputStreamReader(System.in));
        try (var auth = new Bus(servers, System.getenv("AUTHBUS_NAMESPACE"), "web", trust)) {
            for (var email = lines.readLine(); email != null; email = lines.readLine()) {
                var known = Map.of("email", email, "password", "correct horse battery");
                var user = auth.ask("RegisterUser", "credentials", null, known);
                System.out.println("registered " + user.get("user_id"));
            }
        }
    }

    private Register() {}
}
