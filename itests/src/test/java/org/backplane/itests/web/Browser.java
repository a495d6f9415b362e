package org.backplane.itests.web;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;

/** Chromium without a window, as Debian packages it. */
final class Browser implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final List<String> DRIVERS =
            List.of("/usr/bin/chromedriver", "/usr/lib/chromium/chromedriver");
    private static final List<String> BROWSERS = List.of("/usr/bin/chromium");

    private final ChromeDriver driver;

    private Browser(ChromeDriver driver) {
        this.driver = driver;
    }

    /** What is missing to run one here; empty if nothing is. */
    static Optional<String> missing() {
        return Stream.of(DRIVERS, BROWSERS)
                .filter(places -> there(places).isEmpty())
                .map(
                        places ->
                                "%s is not here: apt-get install chromium chromium-driver"
                                        .formatted(places.get(0)))
                .findFirst();
    }

    private static Optional<String> there(List<String> places) {
        return places.stream().filter(place -> Files.isExecutable(Path.of(place))).findFirst();
    }

    static Browser open(Path profile) throws IOException {
        ChromeOptions options = new ChromeOptions();
        options.setBinary(there(BROWSERS).orElseThrow());
        options.addArguments(
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--window-size=1440,1180",
                "--user-data-dir=" + profile);
        ChromeDriverService service =
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(new File(there(DRIVERS).orElseThrow()))
                        .withLogFile(profile.resolveSibling("chromedriver.log").toFile())
                        .build();
        return new Browser(new ChromeDriver(service, options));
    }

    void go(String address) {
        driver.get(address);
    }

    String address() {
        return driver.getCurrentUrl();
    }

    String title() {
        return driver.getTitle();
    }

    /** The text that is shown of an element; empty if there is none. */
    String text(String css) {
        return find(css).map(WebElement::getText).orElse("");
    }

    String attribute(String css, String name) {
        return find(css).map(found -> found.getDomAttribute(name)).orElse(null);
    }

    boolean has(String css) {
        return find(css).isPresent();
    }

    private Optional<WebElement> find(String css) {
        return driver.findElements(By.cssSelector(css)).stream().findFirst();
    }

    void click(String css) {
        until(css, () -> find(css).filter(WebElement::isDisplayed).isPresent());
        driver.findElement(By.cssSelector(css)).click();
    }

    void type(String css, String text) {
        until(css, () -> has(css));
        WebElement field = driver.findElement(By.cssSelector(css));
        field.clear();
        field.sendKeys(text);
    }

    /** Names a file to a form, which clearing would not do. */
    void choose(String css, Path file) {
        driver.findElement(By.cssSelector(css)).sendKeys(file.toString());
    }

    /** Waits until something is shown; the bound only ends a test that hangs. */
    void until(String what, Supplier<Boolean> shown) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!holds(shown)) {
            if (System.nanoTime() > end) {
                throw new AssertionError(
                        "never came: %s; the page shows:\n%s"
                                .formatted(what, driver.findElement(By.tagName("body")).getText()));
            }
        }
    }

    private static boolean holds(Supplier<Boolean> shown) {
        try {
            return shown.get();
        } catch (StaleElementReferenceException e) {
            // The page was drawn anew in between.
            return false;
        }
    }

    /** Of the whole page. */
    void screenshot(Path file, int width, int height) throws IOException {
        driver.manage().window().setSize(new Dimension(width, height));
        driver.executeScript(
                "scrollTo(0, 0); document.querySelectorAll('.scroll').forEach((each) => each.scrollLeft = 0)");
        Files.write(file, driver.getScreenshotAs(OutputType.BYTES));
    }

    @Override
    public void close() {
        driver.quit();
    }
}
