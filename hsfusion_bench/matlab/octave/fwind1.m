function filter = fwind1(response, window)
    % Two-dimensional filter by the window method. The window of two dimensions is the given one, turned about its middle
    % (Huang): linearly interpolated along the radius, and zero beyond its end. `response` is sampled at frequencies from
    % -1 to 1, is symmetric about its middle, and has as many rows and columns, an odd number, as the window has points.
    position = linspace(-1, 1, numel(window));
    [x, y] = meshgrid(position);
    turned = interp1(position, window(:), sqrt(x .^ 2 + y .^ 2), 'linear', 0);
    filter = fftshift(ifft2(ifftshift(response))) .* turned;
end
