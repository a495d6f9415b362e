package org.backplane.web;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.TreeMap;

/** A request and its response, without a server. */
public final class Exchange {
    public final Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    public final Map<String, String> parameters = new TreeMap<>();
    public final Map<String, String> answered = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    public String method = "GET";
    public String path = "/";
    public String from = "127.0.0.1";
    public int status = 200;
    public String redirect;
    public byte[] content = new byte[0];
    public final StringWriter body = new StringWriter();
    public final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    public Exchange with(String header, String value) {
        headers.put(header, value);
        return this;
    }

    public Exchange posting() {
        method = "POST";
        return this;
    }

    /** As a browser sends what it was given. */
    public Exchange withCookieOf(Exchange before) {
        String set = before.answered.get("Set-Cookie");
        return with("Cookie", set.substring(0, set.indexOf(';')));
    }

    public HttpServletRequest request() {
        return (HttpServletRequest)
                Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {HttpServletRequest.class},
                        (proxy, called, arguments) ->
                                switch (called.getName()) {
                                    case "getHeader" -> headers.get((String) arguments[0]);
                                    case "getParameter" -> parameters.get((String) arguments[0]);
                                    case "getContentType" -> headers.get("Content-Type");
                                    case "getMethod" -> method;
                                    case "getRequestURI" -> path;
                                    case "getRemoteAddr" -> from;
                                    case "getLocalPort" -> 8080;
                                    case "getCookies" -> cookies();
                                    case "getPathInfo" -> path;
                                    case "getInputStream" -> stream(content);
                                    default -> throw new AssertionError(called);
                                });
    }

    private Cookie[] cookies() {
        String header = headers.get("Cookie");
        if (header == null) {
            return null;
        }
        int equals = header.indexOf('=');
        return new Cookie[] {new Cookie(header.substring(0, equals), header.substring(equals + 1))};
    }

    public HttpServletResponse response() {
        PrintWriter writer = new PrintWriter(body, true);
        return (HttpServletResponse)
                Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {HttpServletResponse.class},
                        (proxy, called, arguments) -> {
                            switch (called.getName()) {
                                case "setStatus" -> status = (int) arguments[0];
                                case "setHeader", "addHeader" ->
                                        answered.put((String) arguments[0], (String) arguments[1]);
                                case "sendRedirect" -> {
                                    status = 302;
                                    redirect = (String) arguments[0];
                                }
                                case "getWriter" -> {
                                    return writer;
                                }
                                case "getOutputStream" -> {
                                    return stream(bytes);
                                }
                                case "setContentType", "flushBuffer" -> {}
                                default -> throw new AssertionError(called);
                            }
                            return null;
                        });
    }

    private static ServletInputStream stream(byte[] content) {
        var in = new ByteArrayInputStream(content);
        return new ServletInputStream() {
            @Override
            public int read() {
                return in.read();
            }

            @Override
            public boolean isFinished() {
                return in.available() == 0;
            }

            @Override
            public boolean isReady() {
                return true;
            }

            @Override
            public void setReadListener(ReadListener listener) {
                throw new AssertionError("read asynchronously");
            }
        };
    }

    private static ServletOutputStream stream(ByteArrayOutputStream out) {
        return new ServletOutputStream() {
            @Override
            public void write(int octet) {
                out.write(octet);
            }

            @Override
            public boolean isReady() {
                return true;
            }

            @Override
            public void setWriteListener(WriteListener listener) {
                throw new AssertionError("written asynchronously");
            }
        };
    }
}
