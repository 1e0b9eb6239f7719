package example;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.crypto.Ed25519Verifier;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import java.net.URI;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Walks through a user's life: register, log in, refresh, a wrong password, log out. */
public final class Login {
    private static final String NAMESPACE = setting("AUTHBUS_NAMESPACE", "auth");

    public static void main(String[] arguments) throws Exception {
        var servers = setting("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092");
        var email = UUID.randomUUID().toString().substring(0, 8) + "@example.com";
        var known = Map.of("email", email, "password", "correct horse battery");
        try (var auth = new Bus(servers, NAMESPACE, "web", setting("AUTHBUS_TRUST", ""))) {
            var user = auth.ask("RegisterUser", "credentials", null, known);
            System.out.println("registered " + user.get("user_id"));

            var session = auth.ask("LogIn", "credentials", null, known);
            var claims = verify(session);
            System.out.println("logged in " + claims.getSubject() + " until "
                    + claims.getExpirationTime().toInstant());

            var id = (String) session.get("session_id");
            var later = auth.ask("RefreshSession", "sessions", id, holder(session));
            System.out.println("refreshed " + verify(later).getSubject());

            try {
                var wrong = Map.of("email", email, "password", "not this one");
                auth.ask("LogIn", "credentials", null, wrong);
                throw new IllegalStateException("a wrong password was taken");
            } catch (Bus.Rejected refused) {
                System.out.println("refused " + refused.code);
            }

            var over = auth.ask("LogOut", "sessions", id, holder(later));
            System.out.println("logged out " + over.get("session_id"));
        }
    }

    private static Map<String, Object> holder(Map<String, Object> session) {
        return Map.of("session_id", session.get("session_id"),
                "refresh_token", session.get("refresh_token"));
    }

    /** The claims of a session's access token, checked against the published keys. */
    private static JWTClaimsSet verify(Map<String, Object> session) throws Exception {
        var keys = JWKSet.load(URI.create(
                setting("AUTHBUS_HTTP", "http://localhost:8080") + "/.well-known/jwks.json").toURL());
        var token = SignedJWT.parse((String) session.get("access_token"));
        var key = keys.getKeyByKeyId(token.getHeader().getKeyID());
        if (!new JOSEObjectType("at+jwt").equals(token.getHeader().getType())
                || key == null || !token.verify(new Ed25519Verifier(key.toOctetKeyPair()))) {
            throw new SecurityException("no access token of this service");
        }
        var wanted = new JWTClaimsSet.Builder().issuer("authbus/" + NAMESPACE).build();
        var verifier = new DefaultJWTClaimsVerifier<>("web", wanted, Set.of("sub", "sid", "exp"));
        verifier.setMaxClockSkew(5); // its own is a minute
        verifier.verify(token.getJWTClaimsSet(), null);
        return token.getJWTClaimsSet();
    }

    static String setting(String name, String usual) {
        return System.getenv().getOrDefault(name, usual);
    }

    private Login() {}
}
