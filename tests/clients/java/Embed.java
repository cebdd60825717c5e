import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Asks a server as programs in Java do: with the JDK's own HttpClient as it is without any settings, so that every request offers HTTP/2.
 *
 * <p>The arguments are the server's address and the form of the requests, {@code jobs} or {@code spring}. Every answer becomes a line of
 * standard output: the number of the thread, a tab and the body. Anything but 200 ends the program with an error.
 */
public class Embed {
    static final int THREADS = 6;
    static final int REQUESTS = 480;

    /** One client for all threads, as its documentation advises. */
    final HttpClient client = HttpClient.newHttpClient();
    final String url;
    final boolean isSpring;

    Embed(String url, String form) {
        this.url = url;
        this.isSpring = form.equals("spring");
    }

    public static void main(String[] arguments) throws Exception {
        Embed embed = new Embed(arguments[0], arguments[1]);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Callable<List<String>>> tasks = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                int number = thread;
                tasks.add(() -> embed.ask(number));
            }
            for (Future<List<String>> answers : threads.invokeAll(tasks)) {
                answers.get().forEach(System.out::println);
            }
        } finally {
            threads.shutdown();
        }
    }

    List<String> ask(int thread) throws Exception {
        List<String> answers = new ArrayList<>();
        for (int number = 0; number < REQUESTS / THREADS; number++) {
            HttpRequest request = isSpring ? springRequest(thread) : job(thread, number);
            var response = client.send(request, BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IllegalStateException(response.statusCode() + ": " + response.body());
            }
            answers.add(thread + "\t" + response.body());
        }
        return answers;
    }

    /** A job, with its body in chunks and with its length in turns. */
    HttpRequest job(int thread, int number) {
        String body = "{\"input\":{\"query\":\"" + text(thread) + "\"}}";
        BodyPublisher publisher = number % 2 == 0 ? inChunks(body) : BodyPublishers.ofString(body);
        return HttpRequest.newBuilder(URI.create(url + "/runsync"))
                .header("Content-Type", "application/json")
                .POST(publisher)
                .build();
    }

    /** What Spring AI's OpenAiApi sends through Spring's RestClient where that has no client but the JDK's. */
    HttpRequest springRequest(int thread) {
        String body = "{\"input\":[\"" + text(thread) + "\"],\"model\":\"minilm\",\"encoding_format\":\"float\"}";
        return HttpRequest.newBuilder(URI.create(url + "/v1/embeddings"))
                .header("Authorization", "Bearer a-key-that-nobody-checks")
                .header("Accept", "application/json, application/*+json")
                .header("Content-Type", "application/json")
                .POST(inChunks(body))
                .build();
    }

    static String text(int thread) {
        return "text of thread " + thread;
    }

    static BodyPublisher inChunks(String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        return BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes));
    }
}
